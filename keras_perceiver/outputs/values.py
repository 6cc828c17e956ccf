"""Regression: one learned query."""

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.learned_queries import LearnedQueries
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Values(LearnedQueries, ValuesOrClasses):
    """One or more values for each example.

    The model returns floats of shape `(batch, num_values)`; targets have the same shape.

    Args:
        num_values: Number of values.
        loss: Name of a Keras loss. Default: the mean squared error.
        query_dim: Width of the query. Default: the width of the latents.
        hidden_dim: Width of a dense tanh layer before the values, as in the GLUE heads, or None for
            no such layer.

    Raises:
        ValueError: if an argument is out of range.

    Example (house prices from a row of a table):

    >>> kp.build_perceiver_io(kp.Array((13, 1), positions="learned"), kp.Values(1))

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2 and appendix F.4.
    """

    kind = "values"
    num_queries = 1

    def __init__(self, num_values=1, loss=None, query_dim=None, hidden_dim=None):
        self.num_values = arguments.whole_number("num_values", num_values)
        super().__init__(channels=num_values, loss=loss)
        self.query_dim = arguments.optional_whole_number("query_dim", query_dim)
        self.hidden_dim = arguments.optional_whole_number("hidden_dim", hidden_dim)

    @property
    def shape(self):
        return (self.num_values,)

    def get_config(self):
        return {
            "num_values": self.num_values,
            "loss": self.loss,
            "query_dim": self.query_dim,
            "hidden_dim": self.hidden_dim,
        }
