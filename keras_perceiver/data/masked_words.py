"""Masks whole words for masked language modelling."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.inputs.byte_vocabulary import MASK, NUM_SPECIAL

_SPACES = [NUM_SPECIAL + byte for byte in b" \t\n\r\x0b\x0c"]


def masked_words(
    dataset: tf.data.Dataset, probability: float = 0.15, seed: int | None = None
) -> tf.data.Dataset:
    """Masks whole words of byte ids, each independently with the same probability.

    Words are separated by white space; all bytes of a masked word become the mask token.
    White space is that of ASCII, so a text in a script without spaces is one word.

    Args:
        dataset: Batches of byte ids, int32 `(batch, length)`, as from `text_ids`.
        probability: Probability that a word is masked.
        seed: Fixes which words are masked; epochs still differ from each other.

    Returns:
        A `tf.data.Dataset` of `(masked ids, ids, weights)`, as `fit` of a masked language model
        takes it. `weights` is float32 `(batch, length)`, 1 at masked bytes and 0 elsewhere.

    Raises:
        ValueError: if `probability` is not above 0 and at most 1.

    Example:

    >>> ids = texts.batch(32).map(lambda text: kp.data.text_ids(text, 2048))
    >>> model.fit(kp.data.masked_words(ids))

    Reference: Perceiver IO (arXiv 2107.14795), appendix F.3.
    """
    arguments.number("probability", probability, above=0, at_most=1)
    tensor_checks.dataset("dataset", dataset)
    tensor_checks.seed("seed", seed)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

    def hide(ids, seed):
        is_space = tf.reduce_any(ids[..., None] == tf.constant(_SPACES), axis=-1)
        is_space = tf.logical_or(is_space, ids < NUM_SPECIAL)
        # Number the words: a word begins where the byte before it is white space.
        before = tf.pad(is_space[:, :-1], [[0, 0], [1, 0]], constant_values=True)
        begins = tf.logical_and(before, tf.logical_not(is_space))
        word = tf.cumsum(tf.cast(begins, tf.int32), axis=1)
        drawn = tf.random.stateless_uniform(tf.shape(ids) + [0, 1], seed)
        hidden = tf.gather(drawn, word, batch_dims=1) < probability
        hidden = tf.logical_and(hidden, tf.logical_not(is_space))
        return tf.where(hidden, MASK, ids), ids, tf.cast(hidden, tf.float32)

    return tf.data.Dataset.zip(dataset, seeds).map(hide, num_parallel_calls=tf.data.AUTOTUNE)
