"""Training and validation data that can be resumed."""

import tensorflow as tf


def check_apart(dataset, validation_data):
    """Raises ValueError if both draw from one shuffled pipeline.

    A `shuffle` counts how often it was read, by whom makes no difference. A training that goes on
    from a checkpoint reads the training data again but not the validations of the past, so it
    would be given another order than the training that was not interrupted.
    """
    if not isinstance(validation_data, tf.data.Dataset):
        return
    shared = _drawing(dataset) & _drawing(validation_data)
    if shared:
        raise ValueError(
            "`validation_data` must not be made of the same shuffled pipeline as `dataset` where "
            "training is to be resumed from `directory`: reading one changes the order of the "
            "other. Split first and shuffle the training part, or shuffle with "
            "reshuffle_each_iteration=False. Received: a shuffled dataset that both are made of"
        )


def _drawing(dataset):
    """Ids of the parts of a pipeline that draw anew each time they are read."""
    found, waiting = set(), [dataset]
    while waiting:
        one = waiting.pop()
        name = type(one).__name__
        if "Shuffle" in name and getattr(one, "_reshuffle_each_iteration", True) is not False:
            found.add(id(one))
        if "Random" in name and getattr(one, "_rerandomize_each_iteration", None):
            found.add(id(one))
        waiting.extend(one._inputs())
    return found
