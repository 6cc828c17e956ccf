"""A learning rate schedule, lowered."""

import keras

from keras_perceiver import arguments


@keras.saving.register_keras_serializable(package="keras_perceiver")
class LoweredSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule multiplied by a number; see `LossSpikeGuard`.

    Args:
        schedule: A `keras.optimizers.schedules.LearningRateSchedule`.
        scale: What its values are multiplied by, above 0 and at most 1.

    Raises:
        ValueError: if an argument is wrong.

    Example:

    >>> LoweredSchedule(kp.training.flat_then_cosine(2e-3, steps=100), 0.5)(0)  # 0.001
    """

    def __init__(self, schedule, scale):
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            raise ValueError(
                "`schedule` must be a keras.optimizers.schedules.LearningRateSchedule. Received: "
                f"schedule={schedule!r}"
            )
        self.schedule = schedule
        self.scale = arguments.number("scale", scale, above=0, at_most=1)

    def __call__(self, step):
        return self.schedule(step) * self.scale

    def get_config(self):
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "scale": self.scale}

    @classmethod
    def from_config(cls, config):
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["scale"])
