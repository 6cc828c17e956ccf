"""Writes videos for tests."""

from fractions import Fraction

import av
import numpy as np


def write_film(path, frames, frame_rate, sound=None, sampling_rate=8000, codec="libx264", part=400):
    """Writes pictures `(T, H, W, 3)` uint8 and samples `(S, channels)`, which may be None.

    Sound is written `part` samples at a time. An .mp4 has its table of contents in front, so that
    it can be opened when its end is missing.
    """
    options = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        if frames is not None:
            pictures = container.add_stream(codec, rate=frame_rate)
            pictures.height, pictures.width = frames.shape[1:3]
            pictures.pix_fmt = "yuv420p" if codec == "libx264" else "bgr0"
            pictures.gop_size = 5
        if sound is not None:
            layout = {1: "mono", 2: "stereo"}[sound.shape[1]]
            codec = "aac" if path.suffix == ".mp4" else "pcm_s16le"
            track = container.add_stream(codec, rate=sampling_rate, layout=layout)
        packets = []
        if frames is not None:
            for i, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, frame_rate)
                packets += pictures.encode(frame)
            packets += pictures.encode()
        if sound is not None:
            for i in range(0, len(sound), part):
                some = (np.clip(sound[i : i + part], -1, 1) * 32767).astype("int16").reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(some, format="s16", layout=layout)
                frame.sample_rate, frame.pts = sampling_rate, i
                frame.time_base = Fraction(1, sampling_rate)
                packets += track.encode(frame)
            packets += track.encode()
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        container.mux(packets)
    return path


def grey(num_frames, height=24, width=40, step=3):
    """Pictures of one colour: picture `i` has the value `40 + step * i`."""
    values = 40 + step * np.arange(num_frames)
    return np.broadcast_to(values[:, None, None, None], (num_frames, height, width, 3)).astype("u1")


def tone(frequency, seconds, sampling_rate=8000):
    times = np.arange(round(seconds * sampling_rate)) / sampling_rate
    return 0.5 * np.sin(2 * np.pi * frequency * times)[:, None]
