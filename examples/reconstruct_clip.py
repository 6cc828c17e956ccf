"""Reconstructs a clip with sound, and names what is to be seen, with the published autoencoder.

    python examples/reconstruct_clip.py --weights hf://deepmind/multimodal-perceiver
    python examples/reconstruct_clip.py --frames frame*.png --sound sound.wav --weights DIRECTORY

A clip has 16 frames of 224 x 224 pixels and 0.64 s of sound at 48,000 Hz; longer ones are divided.
Without files, a square moves through the picture to a rising tone. Without --weights the weights
are random, and so is the answer. Writes clip.gif (given and reconstructed, side by side) and
clip.wav. The model is run once, and its 804,737 outputs are decoded in chunks.
"""

import argparse
import time
import wave
from pathlib import Path

import numpy as np

import keras_perceiver as kp


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", nargs="+", help="PNG or JPEG files, in order")
    parser.add_argument("--sound", help="WAV file")
    parser.add_argument("--weights", help="hf://user/name or a directory")
    parser.add_argument("--output", type=Path, default=Path("clip"))
    parser.add_argument("--quick", action="store_true", help="a small model, to try the code")
    options = parser.parse_args()

    model = load(options)
    prepare = model.preparation
    if options.frames:
        inputs, length = prepare.from_file(options.frames, options.sound), len(options.frames)
    else:
        video, sound = clip(prepare)
        inputs, length = prepare(video, sound), len(video)
    inputs = {name: np.asarray(array) for name, array in inputs.items()}
    start = time.perf_counter()
    latents = model.encode(inputs, batch_size=1)
    outputs = model.decode(latents, chunk_size=16384)
    seconds = time.perf_counter() - start
    (answer,) = prepare.readable(outputs, num_frames=length)
    for label, probability in answer["label"]:
        print(f"{probability:6.1%}  {label}")
    given = (inputs["video"].reshape(-1, *inputs["video"].shape[2:])[:length] * 255).astype("uint8")
    error = np.mean((given / 255.0 - answer["video"] / 255.0) ** 2)
    print(f"video: PSNR {-10 * np.log10(error):.1f} dB")
    written = write(given, answer, prepare.sampling_rate, options.output)
    print(f"{', '.join(written)}, in {seconds:.1f} s, {model.count_params():,} parameters")


def load(options):
    if options.weights:
        return kp.from_preset(options.weights)
    print("Warning: the weights are random, so the answer is meaningless. See --weights.")
    small = {"frames": 2, "height": 16, "width": 16, "num_samples": 3840, "num_latents": 8}
    preset = "perceiver_io_multimodal_autoencoder"
    return kp.from_preset(preset, **(small if options.quick else {}))


def clip(prepare):
    """A white square that moves over a grey picture, and a tone that rises."""
    frames, size = prepare.frames, prepare.height
    video = np.full((frames, size, size, 3), 96, "uint8")
    side = size // 4
    for number, frame in enumerate(video):
        left = number * (size - side) // max(1, frames - 1)
        frame[side : 2 * side, left : left + side] = 255
    seconds = np.arange(prepare.num_samples) / prepare.sampling_rate
    return video, (0.3 * np.sin(2 * np.pi * (220 + 200 * seconds) * seconds)).astype("float32")


def write(given, answer, rate, path):
    from PIL import Image

    frames = [Image.fromarray(np.hstack(pair)) for pair in zip(given, answer["video"])]
    gif, wav = path.with_suffix(".gif"), path.with_suffix(".wav")
    frames[0].save(gif, save_all=True, append_images=frames[1:], duration=40, loop=0)
    with wave.open(str(wav), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(answer["audio"].astype("<i2").tobytes())
    return str(gif), str(wav)


if __name__ == "__main__":
    main()
