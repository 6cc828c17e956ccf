"""The optimizer of models that start local."""

import keras
from keras import ops

from keras_perceiver import arguments


@keras.saving.register_keras_serializable(package="keras_perceiver")
class AveragedAdamW(keras.optimizers.AdamW):
    """AdamW with a linear warm-up, whose weights at the end of `fit` are an average over steps.

    The average is over the last tenth of all steps so far, at most over about `averaged_steps`, so
    that a short `fit` hardly lags behind. It does for generalisation what a falling learning rate
    does, without knowing when training ends. While `fit` runs, losses and metrics are those of the
    weights as they are; the average replaces them when `fit` ends
    (`keras.callbacks.SwapEMAWeights` evaluates it before).

    The learning rate stays a number, which callbacks such as `ReduceLROnPlateau` may change.

    Args:
        learning_rate: Learning rate after the warm-up, or a schedule.
        weight_decay: See `keras.optimizers.AdamW`.
        warmup_steps: So many steps take the learning rate from 0 to its value; 0 for none.
        averaged_steps: Longest time constant of the average, in steps.
        **kwargs: See `keras.optimizers.AdamW`.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> model.compile(kp.AveragedAdamW(2e-3), "mse")

    Reference: AdamW (arXiv 1711.05101); averages of weights (arXiv 1803.05407). The papers on
    Perceivers train with LAMB, for much longer.
    """

    def __init__(
        self,
        learning_rate=1e-3,
        weight_decay=1e-2,
        warmup_steps=100,
        averaged_steps=100,
        name="averaged_adamw",
        **kwargs,
    ):
        if not isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            arguments.number("learning_rate", learning_rate, above=0)
        if weight_decay is not None:
            arguments.number("weight_decay", weight_decay, at_least=0)
        arguments.whole_number("warmup_steps", warmup_steps, at_least=0)
        arguments.whole_number("averaged_steps", averaged_steps)
        kwargs = {"use_ema": True, "ema_momentum": 1 - 1 / averaged_steps, **kwargs}
        super().__init__(learning_rate, weight_decay=weight_decay, name=name, **kwargs)
        self.warmup_steps, self.averaged_steps = warmup_steps, averaged_steps

    def update_step(self, gradient, variable, learning_rate):
        if self.warmup_steps:
            done = ops.cast(self.iterations + 1, "float32") / self.warmup_steps
            learning_rate = ops.cast(learning_rate, "float32") * ops.minimum(1.0, done)
        super().update_step(gradient, variable, learning_rate)

    def _update_model_variables_moving_average(self, trainable_variables):
        # Keras' average starts at the first weights and would forget them after 100 steps only.
        steps = ops.cast(self.iterations, "float32")
        momentum = ops.minimum(self.ema_momentum, (1 + steps) / (10 + steps))
        momentum = ops.where(steps == 0, 0.0, momentum)
        for variable, average in zip(trainable_variables, self._model_variables_moving_average):
            if average is not None:
                gap = ops.cast(1 - momentum, average.dtype)
                average.assign(average + gap * (ops.cast(variable, average.dtype) - average))

    def get_config(self):
        return {
            **super().get_config(),
            "warmup_steps": self.warmup_steps,
            "averaged_steps": self.averaged_steps,
        }
