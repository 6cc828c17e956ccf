"""One vector for all inputs of an example."""

import keras

from keras_perceiver.layers.part_cost import dense
from keras_perceiver.outputs.per_input import PerInput
from keras_perceiver.outputs.pooled_head import PooledHead


@keras.saving.register_keras_serializable(package="keras_perceiver")
class MeanOverInputs(PerInput):
    """An embedding of a whole set: the mean over its elements, followed by a dense layer.

    The queries are the preprocessed inputs, as in `PerInput`; masked inputs do not count in the
    mean. The model returns `(batch, channels)`.

    Args:
        input: Name of the input. Default: the only input.
        channels: Width of the embedding.
        loss: Name of a Keras loss. Default: the mean squared error.
        activation: Any Keras activation.

    Raises:
        ValueError: if there is no such input, or an argument is out of range.

    Example:

    >>> kp.build_perceiver_io(kp.Entities(512, 128), {
    ...     "each": kp.PerInput(channels=256), "all": kp.MeanOverInputs(channels=256)})

    Reference: Perceiver IO (arXiv 2107.14795), appendix B ("embedded entity").
    """

    kind = "mean"
    rows_stand_alone = False

    def __init__(self, input=None, channels=256, loss=None, activation="relu"):
        super().__init__(input, channels=channels, loss=loss)
        self.activation = activation
        try:
            keras.activations.get(activation)
        except (ValueError, TypeError) as error:
            raise ValueError(
                "`activation` must be a Keras activation or the name of one. Received: "
                f"activation={activation!r}"
            ) from error

    @property
    def shape(self):
        return (self.channels,)

    def make_head(self, dtype):
        name = f"{self.name}_head"
        return PooledHead(self.channels, self.activation, name=name, dtype=dtype)

    def rows(self, decoded, queries=None):
        if queries is None or queries.mask is None:
            return self.head_layer(decoded)
        return self.head_layer(decoded, asked=queries.mask)

    def head_cost(self, width):
        return dense(1, width, self.channels)

    def get_config(self):
        return {
            "input": self.input,
            "channels": self.channels,
            "loss": self.loss,
            "activation": self.activation,
        }
