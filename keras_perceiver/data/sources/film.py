"""A video file that is open."""

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.extras import require

FILMS = (".mp4", ".webm", ".mkv", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".3gp", ".flv")


class Film:
    """A video file, open in a `with` block; errors of FFmpeg in the block become CorruptFile.

    Args:
        path: A video that FFmpeg can read.

    Raises:
        CorruptFile: if the file is empty, is no video, or (in the block) cannot be decoded.

    Example:

    >>> with Film("surfing/a.mp4") as film:
    ...     print(film.length())
    """

    def __init__(self, path):
        self.path, self.av = path, require("av", "data")

    def __enter__(self):
        if self.path.stat().st_size == 0:
            raise CorruptFile(self.path, "must be a video. Received: an empty file")
        try:
            self.container = self.av.open(str(self.path))
        except self.av.error.FFmpegError as error:
            raise CorruptFile(self.path, f"must be a video: {error.strerror}") from error
        self.pictures = next(iter(self.container.streams.video), None)
        self.sound = next(iter(self.container.streams.audio), None)
        if self.pictures is not None:
            self.pictures.thread_type = "AUTO"
        return self

    def __exit__(self, kind, error, trace):
        self.container.close()
        if isinstance(error, self.av.error.FFmpegError):
            raise CorruptFile(self.path, f"cannot be decoded: {error.strerror}") from error

    @property
    def origin(self):
        """The time in the file at which its pictures (or else its sound) start, in seconds."""
        stream = self.pictures or self.sound
        return float((stream.start_time or 0) * stream.time_base)

    def frames(self, stream, start):
        """Decodes a stream from `start` or a little earlier, in seconds after the origin."""
        self.container.seek(int((self.origin + max(0.0, start)) * 1e6), backward=True)
        yield from self.container.decode(stream)

    def length(self):
        """Seconds of pictures, from their packets, which need no decoding.

        Raises CorruptFile if the file ends more than half a second before the end that it states.
        """
        stream, end = self.pictures, 0.0
        for packet in self.container.demux(stream):
            if packet.size and packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * stream.time_base))
        stated = float((stream.duration or 0) * stream.time_base)
        length = max(0.0, end - self.origin)
        if length == 0 or length < stated - 0.5:
            raise CorruptFile(
                self.path,
                f"must have the {stated:g} s of pictures that it states. Received: {length:g} s",
            )
        self.container.seek(0)
        return length
