"""Video with sound, as the published multimodal model takes it."""

import keras
import numpy as np
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.image_pixels import decoded_image
from keras_perceiver.data.pixel_values import checked_pixels, middle, whole_levels
from keras_perceiver.preparation.class_probabilities import (
    check_class_names,
    most_probable,
    probabilities,
)
from keras_perceiver.preparation.clip_outputs import checked_outputs
from keras_perceiver.preparation.clip_sound import clips_of_sound, first_channel
from keras_perceiver.preparation.file_bytes import each_file_bytes, file_bytes
from keras_perceiver.preparation.preparation import Preparation, pixels_or_bytes, raw

_AXES = {4: "(frames, height, width, 3)", 5: "(batch, frames, height, width, 3)"}
_ONE_FRAME = {3: "(height, width, 3)"}


@keras.saving.register_keras_serializable(package="keras_perceiver")
class ClipPreparation(Preparation):
    """Divides videos with sound into clips, and puts reconstructed clips together.

    The square in the middle of each frame is resized (bilinear, to 8-bit pixels), and its values
    are mapped to [0, 1]. Clips do not overlap. The last one is filled up with the last frame and
    with silence (the published example drops it). Frame rate and sampling rate are not changed: the
    published model was trained on 25 frames and 48,000 samples a second. Patches are formed by the
    model itself; see `Video` and `Audio`.

    Args:
        frames, height, width: Size of a clip.
        num_samples: Length of the sound of a clip.
        num_classes: Width of the label, which is all zeros because it is unknown.
        sampling_rate: In Hz; WAV files with another rate are refused.
        class_names: List of strings, one for each class, or None.
        max_pixels: Encoded frames with more pixels are refused before they are decoded.

    Call arguments:
        video: Pixel values from 0 to 255 (uint8, or other numbers) of shape
            `(frames, height, width, 3)` or `(batch, frames, height, width, 3)`, any sizes. Or the
            bytes of a PNG or JPEG file for each frame, strings `(frames,)`.
        audio: Floats in [-1, 1] or int16, of shape `(samples,)` or `(samples, channels)`, or with a
            batch axis if `video` has one. Or the bytes of a WAV file, one string. The first channel
            is taken, from the first frame on; what is longer than the clips is dropped. Default:
            silence.

    Returns:
        A dict: "video" `(batch * num_clips, frames, height, width, 3)`, "audio"
        `(batch * num_clips, num_samples, 1)` and "label" `(batch * num_clips, num_classes)`.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if a value is outside its range, or bytes are not
            such a file.

    Example:

    >>> prepare = kp.preparation.ClipPreparation(class_names=names)
    >>> inputs = prepare(video, sound)
    >>> (answer,) = prepare.readable(model.predict(inputs, batch_size=1), num_frames=len(video))
    >>> answer["video"], answer["audio"], answer["label"]

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """

    def __init__(
        self,
        frames=16,
        height=224,
        width=224,
        num_samples=30720,
        num_classes=700,
        sampling_rate=48000,
        class_names=None,
        max_pixels=2**26,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.frames = arguments.whole_number("frames", frames)
        self.height = arguments.whole_number("height", height)
        self.width = arguments.whole_number("width", width)
        self.num_samples = arguments.whole_number("num_samples", num_samples)
        self.num_classes = arguments.whole_number("num_classes", num_classes)
        self.sampling_rate = arguments.whole_number("sampling_rate", sampling_rate)
        self.class_names = check_class_names(class_names)
        if class_names is not None and len(class_names) != num_classes:
            raise ValueError(
                f"`class_names` must be {num_classes} names, as `num_classes`. Received: "
                f"{len(class_names)} names"
            )
        self.max_pixels = arguments.whole_number("max_pixels", max_pixels)

    def __call__(self, video, audio=None):
        video = pixels_or_bytes("video", video)
        if audio is None:
            return super().__call__(video)
        return super().__call__(video, raw("audio", audio, "samples, or the bytes of a file"))

    def call(self, video, audio=None):
        is_batch, is_encoded = video.shape.rank == 5, video.dtype == tf.string
        if is_encoded and video.shape.rank != 1:
            raise ValueError(
                "`video` must be a vector of strings, the bytes of a PNG or JPEG file for each "
                f"frame. Received: strings of shape {video.shape}"
            )
        if not is_encoded:
            video = checked_pixels("video", video, _AXES)
        length = tf.shape(video)[int(is_batch)]
        some = tf.debugging.Assert(length > 0, ["`video` must have at least one frame."])
        with tf.control_dependencies([some]):
            clips = (length + self.frames - 1) // self.frames
            video = tf.identity(video)
        video = self._decoded(video) if is_encoded else self._resized(video)
        places = tf.minimum(tf.range(clips * self.frames), length - 1)
        video = tf.gather(video if is_batch else video[None], places, axis=1) / 255.0
        video = tf.reshape(video, (-1, self.frames, self.height, self.width, 3))
        total = tf.shape(video)[0]
        if audio is None:
            audio = tf.zeros((total, self.num_samples, 1))
        else:
            audio = first_channel(audio, is_batch, self.sampling_rate)
            audio = clips_of_sound(audio, clips, self.num_samples, total)
        label = tf.zeros((total, self.num_classes))
        clip = {"video": video, "audio": audio, "label": label}
        return {key: tf.cast(value, self.compute_dtype) for key, value in clip.items()}

    def _decoded(self, frames):
        def decoded(one):
            image = decoded_image(one, 3, self.max_pixels)
            return self._resized(checked_pixels("video", image, _ONE_FRAME))

        spec = tf.TensorSpec((self.height, self.width, 3), tf.float32)
        return tf.map_fn(decoded, frames, fn_output_signature=spec)

    def _resized(self, video):
        """Whole levels `(..., height, width, 3)` of frames of any size."""
        size = (self.height, self.width)
        window = middle(video, size, 1.0, lambda n, window: n // 2 - window // 2)
        shape = tf.shape(window)
        images = tf.reshape(window, tf.concat([[-1], shape[-3:]], axis=0))
        images = whole_levels(tf.image.resize(images, size, "bilinear"))
        images = tf.reshape(images, tf.concat([shape[:-3], tf.shape(images)[1:]], axis=0))
        return tf.ensure_shape(images, (*video.shape[:-3], *size, 3))

    def from_file(self, frames, audio=None):
        """The model's inputs from a list of PNG or JPEG files, one a frame, and one WAV file.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        sound = None if audio is None else file_bytes("audio", audio)
        return self(each_file_bytes("frames", frames), sound)

    def readable(self, outputs, num_frames: int | None = None, num_videos: int = 1, top: int = 5):
        """What a model reconstructs: video, sound and the most probable classes.

        Args:
            outputs: The model's outputs, a dict with any of "video", "audio" and "label", of shapes
                as this layer returns them; "label" is logits.
            num_frames: Number of frames of each video, because the last clip was filled up.
                Default: all.
            num_videos: Number of videos of equal length that the clips are from.
            top: How many classes.

        Returns:
            For each video a dict with the same keys: "video", uint8 `(num_frames, height, width,
            3)`; "audio", int16 `(num_samples, 1)`, as long as the video; "label", `[(name,
            probability)]`, where probabilities are the mean of the clips'.

        Raises:
            ValueError: if an entry has another shape or is not finite.
        """
        arguments.whole_number("num_videos", num_videos)
        arguments.whole_number("top", top)
        arrays = checked_outputs(outputs, self._shapes(), num_videos)
        clips = len(next(iter(arrays.values()))) // num_videos
        most = clips * self.frames
        num_frames = most if num_frames is None else num_frames
        if arguments.whole_number("num_frames", num_frames) > most:
            raise ValueError(
                f"`num_frames` must be at most {most}, the frames of {clips} clips. Received: "
                f"num_frames={num_frames}"
            )
        num_samples = round(num_frames * self.num_samples / self.frames)
        answers = [{} for _ in range(num_videos)]
        for i, answer in enumerate(answers):
            own = {key: array[i * clips : (i + 1) * clips] for key, array in arrays.items()}
            if "video" in own:
                levels = np.rint(np.clip(own["video"], 0, 1) * 255).astype("uint8")
                answer["video"] = levels.reshape(most, self.height, self.width, 3)[:num_frames]
            if "audio" in own:
                sound = np.rint(np.clip(own["audio"], -1, 1) * 32767).astype("int16")
                answer["audio"] = sound.reshape(-1, 1)[:num_samples]
            if "label" in own:
                mean = probabilities("outputs['label']", own["label"]).mean(axis=0)
                answer["label"] = most_probable(mean, self.class_names, top)
        return answers

    def _shapes(self):
        """Shapes of one clip."""
        return {
            "video": (self.frames, self.height, self.width, 3),
            "audio": (self.num_samples, 1),
            "label": (self.num_classes,),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "frames": self.frames,
            "height": self.height,
            "width": self.width,
            "num_samples": self.num_samples,
            "num_classes": self.num_classes,
            "sampling_rate": self.sampling_rate,
            "class_names": self.class_names,
            "max_pixels": self.max_pixels,
        }
