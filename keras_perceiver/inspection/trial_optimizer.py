"""An optimizer for a short trial, like that of a model."""

import keras
import numpy as np

STEPS = np.unique(np.geomspace(1, 1e7, 300).astype(int))  # where the rate of a schedule is read


def trial_optimizer(optimizer):
    """A new optimizer of the same class and arguments, made for some steps on one batch.

    A trial is shorter than most warm-ups. So the rate is a number, of a schedule the largest that
    it reaches, and `warmup_steps` of `AveragedAdamW` are left out. A trial sees the whole batch in
    each step and does not read averages of weights, so that accumulated gradients and moving
    averages are left out too.

    Args:
        optimizer: The optimizer of a compiled model.

    Returns:
        The new optimizer, not built; or None if the class cannot be made from its `get_config`.

    Example:

    >>> trial_optimizer(keras.optimizers.SGD(0.1, momentum=0.9))
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = trial_optimizer(optimizer.inner_optimizer)
        return inner and keras.optimizers.LossScaleOptimizer(
            inner, optimizer.initial_scale, optimizer.dynamic_growth_steps
        )
    changed = {
        "learning_rate": largest_rate(optimizer),
        "warmup_steps": 0,
        "gradient_accumulation_steps": None,
        "use_ema": False,
        "ema_overwrite_frequency": None,
    }
    try:
        config = optimizer.get_config()
        config.update((name, value) for name, value in changed.items() if name in config)
        return type(optimizer).from_config(config)
    except (TypeError, ValueError, KeyError, NotImplementedError):
        return None  # a class of the user's with other arguments


def largest_rate(optimizer):
    """The learning rate as it is, or the largest of a schedule."""
    rate = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    steps = (keras.ops.convert_to_tensor(step, "int32") for step in STEPS)
    return max(float(keras.ops.convert_to_numpy(rate(step))) for step in steps)


def in_words(optimizer):
    """Class and rate, such as "Adam at 0.001"."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return f"{type(inner).__name__} at {largest_rate(optimizer):.3g}"
