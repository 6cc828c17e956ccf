"""The sound of clips."""

import tensorflow as tf

from keras_perceiver.data.wav_samples import decoded_sound


def first_channel(audio, is_batch, sampling_rate):
    """Floats `(batch, samples)` of a WAV file's bytes, of floats in [-1, 1] or of int16.

    Args:
        audio: Tensor `(samples, channels)` or `(samples,)`, with a batch axis if `is_batch`; or a
            string scalar.
        is_batch: Whether there is a batch axis; it is added otherwise.
        sampling_rate: In Hz; a file with another rate is refused.
    """
    if audio.dtype == tf.string:
        audio = decoded_sound(audio, sampling_rate=sampling_rate)
    if audio.dtype == tf.int16:
        audio = tf.cast(audio, tf.float32) / 32768.0
    rank = audio.shape.rank
    if not audio.dtype.is_floating or rank not in (1 + is_batch, 2 + is_batch):
        axes = "(batch, samples, channels)" if is_batch else "(samples, channels)"
        raise ValueError(
            f"`audio` must be floats in [-1, 1] or int16 of shape {axes}, or without the last "
            f"axis. Received: audio of dtype {audio.dtype.name} and shape {audio.shape}"
        )
    audio = tf.cast(audio if rank == 1 + is_batch else audio[..., 0], tf.float32)
    largest = tf.reduce_max(tf.abs(audio))
    inside = tf.debugging.Assert(
        tf.reduce_all(tf.abs(audio) <= 1),  # False if one is NaN
        ["`audio` must be from -1 to 1. Received: values up to ", largest],
    )
    with tf.control_dependencies([inside]):
        return tf.identity(audio if is_batch else audio[None])


def clips_of_sound(audio, clips, num_samples, total):
    """Floats `(total, num_samples, 1)`: `clips` of each example, filled up with silence.

    Args:
        audio: Floats `(batch, samples)`.
        clips: Number of clips of each example.
        num_samples: Length of a clip.
        total: Number of clips that the video has.
    """
    audio = audio[:, : clips * num_samples]
    missing = clips * num_samples - tf.shape(audio)[1]
    audio = tf.reshape(tf.pad(audio, [[0, 0], [0, missing]]), (-1, num_samples, 1))
    same = tf.debugging.Assert(
        tf.equal(tf.shape(audio)[0], total),
        ["`audio` must have as many examples as `video`. Received: clips ", tf.shape(audio)[0]],
    )
    with tf.control_dependencies([same]):
        return tf.identity(audio)
