"""Batches from arrays in memory, checked before the first step."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import array_checks, tensor_checks
from keras_perceiver.data.label_counts import label_counts


def from_arrays(
    inputs,
    targets,
    batch_size: int,
    *,
    num_classes: int | dict[str, int] | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    augment=None,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Makes a pipeline of batches from arrays, after checking all of their values.

    Args:
        inputs: Array `(num_examples, ...)`, or a dict of arrays by name.
        targets: Array `(num_examples, ...)`, or a dict of arrays by name.
        batch_size: Examples in a batch.
        num_classes: If given, `targets` are labels and must be whole numbers from 0 to
            `num_classes` - 1. For a dict of targets, a dict from the names of the label targets to
            their numbers of classes. Leave it out for other targets (values, or the zeros and ones
            of several labels).
        shuffle: Whether to shuffle the examples anew in each epoch.
        seed: Fixes the order of the examples and the augmentation: they are the same in every run
            and differ between epochs.
        augment: Function of a batch of inputs and a seed that returns the augmented batch. The seed
            is an integer tensor of shape `(2,)`, new for each batch, as
            `tf.image.stateless_random_flip_left_right` takes it. See `random_shift`.
        drop_remainder: Whether to drop the last batch if it is smaller.

    Returns:
        A `tf.data.Dataset` of `(inputs, targets)`. Floating-point arrays become float32.

    Raises:
        ValueError: if an argument or a value is wrong. The message names the argument, the expected
            and the received value, and the index of a label out of range or of a non-finite number.

    Example:

    >>> train = kp.data.from_arrays(images, labels, 32, num_classes=10, shuffle=True, seed=1)
    >>> model.fit(train, epochs=5)
    """
    batch_size = arguments.whole_number("batch_size", batch_size)
    tensor_checks.seed("seed", seed)
    arguments.flag("shuffle", shuffle)
    arguments.flag("drop_remainder", drop_remainder)
    if augment is not None and not callable(augment):
        raise ValueError(
            "`augment` must be a function of a batch of inputs and a seed. Received: "
            f"augment={augment!r}"
        )
    inputs, targets = _arrays("inputs", inputs), _arrays("targets", targets)
    by_name = {**_by_name("inputs", inputs), **_by_name("targets", targets)}
    length = array_checks.same_length(by_name)
    for name, array in by_name.items():
        arguments.finite(name, array)
    for name, (_, count) in label_counts(num_classes, targets).items():
        array_checks.labels(name, by_name[name], count)
    if drop_remainder and batch_size > length:
        raise ValueError(
            f"`batch_size` must be at most the number of examples ({length}) with "
            f"drop_remainder=True. Received: batch_size={batch_size}"
        )

    with tf.device("CPU:0"):
        tensors = tf.nest.map_structure(tf.constant, (inputs, targets))
    indices = tf.data.Dataset.range(length)
    if shuffle:
        indices = indices.shuffle(length, seed=seed)
    indices = indices.batch(batch_size, drop_remainder=drop_remainder)

    def take(index):
        return tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), tensors)

    if augment is None:
        batches = indices.map(take, num_parallel_calls=tf.data.AUTOTUNE)
    else:
        # Seeds are zipped with the batches, so that each batch gets the same seed in parallel maps.
        seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

        def take_augmented(index, seed):
            inputs, targets = take(index)
            return augment(inputs, seed), targets

        batches = tf.data.Dataset.zip(indices, seeds)
        batches = batches.map(take_augmented, num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def _arrays(argument, value):
    """The same structure with numpy arrays, or raises ValueError."""
    if not isinstance(value, dict):
        return array_checks.as_array(argument, value)
    if not value:
        raise ValueError(f"`{argument}` must be an array or a dict of arrays. Received: {{}}")
    return {key: array_checks.as_array(f"{argument}[{key!r}]", v) for key, v in value.items()}


def _by_name(argument, arrays):
    """The arrays by their names in error messages: `inputs`, or `inputs['left']`."""
    if not isinstance(arrays, dict):
        return {argument: arrays}
    return {f"{argument}[{key!r}]": array for key, array in arrays.items()}
