"""Sizes of small videos."""

import dataclasses

import tensorflow_datasets as tfds


@dataclasses.dataclass
class VideoConfig(tfds.core.BuilderConfig):
    """A size of frames, in pixels: `VideoConfig(name="64x64", height=64, width=64)`."""

    height: int = 0
    width: int = 0


def video_configs(*sizes):
    """Configurations "<height>x<width>" for these pairs of height and width."""
    return [
        VideoConfig(
            name=f"{height}x{width}",
            description=f"Frames of {height} x {width} pixels.",
            height=height,
            width=width,
        )
        for height, width in sizes
    ]
