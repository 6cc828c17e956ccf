"""Augmentation: bands and frames of spectrograms masked."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks

_AXES = "(frames, bands, channels) or (batch, frames, bands, channels)"


def spec_augment(
    spectrograms,
    seed,
    max_bands: int = 27,
    max_frames: int = 100,
    num_band_masks: int = 2,
    num_frame_masks: int = 2,
    fill: float = 0.0,
):
    """Masks some neighbouring bands and some neighbouring frames of each spectrogram.

    The number of bands under a mask is drawn uniformly from 0 to `max_bands`, then its place
    uniformly from all at which it fits; so it is for frames. tensorflow-io's `freq_mask` and
    `time_mask` do this to one spectrogram with random numbers that depend on what was drawn before.
    This function depends on `seed` alone and differs between the examples of a batch. Warping of
    time, which the reference found to matter least, is left out.

    Args:
        spectrograms: Floats `(frames, bands, channels)` or `(batch, frames, bands, channels)`, as
            from `mel_spectrogram`. Masks are the same for all channels.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same masks.
        max_bands, max_frames: Largest width of a mask. What is wider than the spectrogram is cut.
        num_band_masks, num_frame_masks: How many masks.
        fill: Value under a mask. The reference takes 0 for spectrograms with a mean of 0.

    Returns:
        Tensor of the shape and dtype of `spectrograms`.

    Raises:
        ValueError: if an argument is out of range, or `spectrograms` have another dtype or rank.

    Example:

    >>> train = kp.data.from_arrays(spectrograms, labels, 32, augment=kp.data.spec_augment)

    Reference: SpecAugment (arXiv 1904.08779), section 2, with the widths of its policy LD;
    Perceiver (arXiv 2103.03206), section 4.2.
    """
    arguments.whole_number("max_bands", max_bands, at_least=0)
    arguments.whole_number("max_frames", max_frames, at_least=0)
    arguments.whole_number("num_band_masks", num_band_masks, at_least=0)
    arguments.whole_number("num_frame_masks", num_frame_masks, at_least=0)
    arguments.number("fill", fill)
    spectrograms = tensor_checks.tensor("spectrograms", spectrograms, f"floats of shape {_AXES}")
    seed = tensor_checks.pair("seed", seed)
    if not spectrograms.dtype.is_floating or spectrograms.shape.rank not in (3, 4):
        raise ValueError(
            f"`spectrograms` must be floats of shape {_AXES}. Received: spectrograms of dtype "
            f"{spectrograms.dtype.name} and shape {spectrograms.shape}"
        )
    is_batch = spectrograms.shape.rank == 4
    batch = spectrograms if is_batch else spectrograms[None]
    count, frames, bands, _ = tf.unstack(tf.shape(batch))
    of_frames, of_bands = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    frame_masks = _masks((count, num_frame_masks), frames, max_frames, of_frames)
    band_masks = _masks((count, num_band_masks), bands, max_bands, of_bands)
    masked = frame_masks[:, :, None, None] | band_masks[:, None, :, None]
    batch = tf.where(masked, tf.cast(fill, batch.dtype), batch)
    return tf.ensure_shape(batch if is_batch else batch[0], spectrograms.shape)


def _masks(shape, size, most, seed):
    """Booleans `(batch, size)`: where one of the masks `shape` = (batch, masks) lies."""
    drawn = tf.random.stateless_uniform((2, *shape), seed, dtype=tf.float64)
    most = tf.minimum(most, size)
    width = tf.cast(drawn[0] * tf.cast(most + 1, tf.float64), tf.int32)
    start = tf.cast(drawn[1] * tf.cast(size - width + 1, tf.float64), tf.int32)
    place = tf.range(size) - start[..., None]
    return tf.reduce_any((place >= 0) & (place < width[..., None]), axis=1)
