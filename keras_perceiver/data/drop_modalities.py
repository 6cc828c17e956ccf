"""Augmentation: whole modalities left out at random."""

import difflib

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks


def drop_modalities(inputs, rates: dict[str, float], seed):
    """Leaves modalities out of random examples, so that a model learns to do without them.

    A model knows that a modality is missing by its entry `<name>_present`, which this function
    makes, or sets to False where it is already there. Such inputs are described with
    `may_be_missing=True`. Each modality is left out independently of the others.

    Args:
        inputs: Dict of tensors whose first axis is examples, by name. Or a `tf.data.Dataset` of
            such batches, alone or first in a tuple, as `(inputs, targets)`.
        rates: {name of a modality: probability that it is left out}, from 0 to 1.
        seed: Integer tensor of shape `(2,)`; the same seed leaves out the same. For a dataset, a
            whole number or None; epochs differ from each other.

    Returns:
        A dict with a further entry `<name>_present`, booleans `(batch, 1)`, for each of `rates`,
        or a dataset of them.

    Raises:
        ValueError: if a rate is out of range, or `inputs` have no such modality.

    Example (the first paper's rate for video, and the second one's for labels):

    >>> inputs = {"video": kp.Video(32, 224, 224, may_be_missing=True), "audio": kp.Audio(61440)}
    >>> model = kp.build_perceiver_io(inputs, kp.Classes(527, multi_label=True))
    >>> train = kp.data.drop_modalities(train, {"video": 0.3}, seed=1)

    Reference: Perceiver (arXiv 2103.03206), section 4.2 (video); Perceiver IO (arXiv 2107.14795),
    section 4.3 (the label of the multimodal autoencoder, at a rate of 0.5).
    """
    if not isinstance(rates, dict) or not rates:
        raise ValueError(
            "`rates` must be a dict from names of modalities to probabilities. Received: "
            f"rates={rates!r}"
        )
    for name, rate in rates.items():
        arguments.number(f"rates[{name!r}]", rate, at_least=0, at_most=1)
    if isinstance(inputs, tf.data.Dataset):
        return _from_dataset(inputs, rates, seed)
    _check_names(inputs, rates)
    seed = tensor_checks.pair("seed", seed)
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, len(rates)))
    result = dict(inputs)
    for (name, rate), one in zip(sorted(rates.items()), seeds):
        batch = tf.shape(inputs[name])[0]
        kept = tf.random.stateless_uniform((batch, 1), one) >= rate
        key = f"{name}_present"
        if result.get(key) is not None:
            kept &= tf.reshape(tf.cast(result[key], tf.bool), (batch, 1))
        result[key] = kept
    return result


def _from_dataset(dataset, rates, seed):
    tensor_checks.seed("seed", seed)
    element = dataset.element_spec
    _check_names(element[0] if isinstance(element, tuple) else element, rates)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

    def drop(batch, seed):
        if not isinstance(batch, tuple):
            return drop_modalities(batch, rates, seed)
        return drop_modalities(batch[0], rates, seed), *batch[1:]

    pairs = tf.data.Dataset.zip(dataset, seeds)
    return pairs.map(drop, num_parallel_calls=tf.data.AUTOTUNE)


def _check_names(inputs, rates):
    if not isinstance(inputs, dict):
        raise ValueError(
            "`inputs` must be a dict of tensors by name, or a dataset of such batches. Received: "
            f"inputs of type {type(inputs).__name__}"
        )
    for name in rates:
        if name not in inputs:
            near = difflib.get_close_matches(str(name), map(str, inputs), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"`rates` must have names of `inputs`, {list(inputs)}.{hint} Received: {name!r}"
            )
