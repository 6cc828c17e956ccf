"""A check that training on shuffled data can be resumed exactly."""

import tensorflow as tf


def check_apart(dataset, validation_data):
    """Raises ValueError if both datasets use the same shuffled pipeline.

    The order of a `shuffle` depends on how often it was iterated, for training or validation. A
    resumed run iterates the training data again, but not the earlier validation data, so it would
    get another order than an uninterrupted run.
    """
    if not isinstance(validation_data, tf.data.Dataset):
        return
    shared = _random_parts(dataset) & _random_parts(validation_data)
    if shared:
        raise ValueError(
            "`validation_data` must not be made of the same shuffled pipeline as `dataset` if "
            "training is resumed from `directory`: reading one changes the order of the other. "
            "Split first and then shuffle the training part, or shuffle with "
            "reshuffle_each_iteration=False. Received: a shuffled dataset that both are made of"
        )


def _random_parts(dataset):
    """Ids of the parts of a pipeline that are random and differ in each iteration."""
    found, waiting = set(), [dataset]
    while waiting:
        part = waiting.pop()
        name = type(part).__name__
        if "Shuffle" in name and getattr(part, "_reshuffle_each_iteration", True) is not False:
            found.add(id(part))
        if "Random" in name and getattr(part, "_rerandomize_each_iteration", None):
            found.add(id(part))
        waiting.extend(part._inputs())
    return found
