"""A label as an input."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.request_limits import RequestLimits
from keras_perceiver.layers.take_rows import take_along


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Labels(PerceiverInput):
    """One one-hot vector, or any single vector, as one input without a position.

    Args:
        num_classes: Width of the vector.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Floats of shape `(batch, num_classes)`.

    Returns:
        Array of shape `(batch, 1, num_classes)`.

    Raises:
        ValueError: if `num_classes` is not a whole number of at least 1.

    Example (the published multimodal model):

    >>> Labels(700)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """

    kind = "label"

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = arguments.whole_number("num_classes", num_classes)

    def raw_parts(self):
        return {"inputs": ((self.num_classes,), "float32")}

    @property
    def num_inputs(self):
        return 1

    @property
    def input_dim(self):
        return self.num_classes

    def build(self, input_shape):
        arguments.rank_of("label", input_shape, 2, "(batch, num_classes)")

    def call(self, inputs, indices=None):
        array = ops.expand_dims(inputs, 1)
        if indices is None:
            return array
        return take_along(array, indices)

    def request_limits(self, max_growth):
        limits = super().request_limits(max_growth)
        return {**limits, self.modality: RequestLimits((self.num_classes,), (self.num_classes,))}

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
