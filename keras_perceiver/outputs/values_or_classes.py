"""Outputs with values, or a class, at each query."""

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.output import Output


def get_loss(identifier):
    """The Keras loss for an argument `loss`."""
    try:
        return keras.losses.get(identifier)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`loss` must be the name of a Keras loss. Received: loss={identifier!r}"
        ) from error


class ValuesOrClasses(Output):
    """Base of outputs with values or classes at each query.

    Args:
        channels: Number of values at each query; the default loss is the mean squared error.
        num_classes: Alternatively, the number of classes. The outputs are then logits, the targets
            whole numbers, and the default loss is the cross-entropy.
        loss: Name of a Keras loss that replaces the default, such as "mae".
    """

    def __init__(self, channels=None, num_classes=None, loss=None):
        if (channels is None) == (num_classes is None):
            raise ValueError(
                "Either `channels` (numbers) or `num_classes` (a class) must be given. Received: "
                f"channels={channels!r}, num_classes={num_classes!r}"
            )
        self.channels = arguments.optional_whole_number("channels", channels)
        self.num_classes = arguments.optional_whole_number("num_classes", num_classes)
        self.loss = loss
        self.default_loss()  # raises ValueError for an unknown name

    @property
    def output_dim(self):
        return self.num_classes or self.channels

    def default_loss(self):
        if self.loss is not None:
            return get_loss(self.loss)
        if self.num_classes is not None:
            return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return keras.losses.MeanSquaredError()

    def metrics(self):
        if self.num_classes is not None:
            return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        return [keras.metrics.MeanAbsoluteError(name="mae")]

    def get_config(self):
        return {"channels": self.channels, "num_classes": self.num_classes, "loss": self.loss}
