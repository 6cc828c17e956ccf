"""Sets of feature vectors."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.layers.initializers import plain_linear_init
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.layers.take_rows import take_along


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Entities(PerceiverInput):
    """An unordered set of feature vectors, without positions, with a mask of the used slots.

    Args:
        num_entities: Number of slots, or None if known only at call time.
        num_features: Features of an entity.
        project_features: Width to which a dense layer maps the features, or None for no layer.
        masked: Whether the model takes `<name>_mask`, False for unused slots.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Floats of shape `(batch, num_entities, num_features)`.

    Returns:
        Array of shape `(batch, num_entities, project_features or num_features)`.

    Raises:
        ValueError: if an argument is out of range.

    Example (StarCraft II: 512 units):

    >>> Entities(512, 128)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.5 and appendix B.
    """

    kind = "entities"

    def __init__(self, num_entities, num_features, project_features=None, masked=True, **kwargs):
        super().__init__(masked=masked, **kwargs)
        self.num_entities = arguments.optional_whole_number("num_entities", num_entities)
        self.num_features = arguments.whole_number("num_features", num_features)
        self.project_features = arguments.optional_whole_number(
            "project_features", project_features
        )

    def raw_parts(self):
        return {"inputs": ((self.num_entities, self.num_features), "float32")}

    @property
    def num_inputs(self):
        return self.num_entities

    @property
    def input_dim(self):
        return self.project_features or self.num_features

    def build(self, input_shape):
        if self.project_features is not None:
            self.projection = keras.layers.Dense(
                self.project_features,
                kernel_initializer=plain_linear_init(),
                dtype=self.dtype_policy,
                name="projection",
            )
            self.projection.build((None, None, self.num_features))

    def call(self, inputs, indices=None):
        if indices is not None:
            inputs = take_along(inputs, indices)
        return inputs if self.project_features is None else self.projection(inputs)

    def cost(self):
        if self.project_features is None:
            return PartCost()
        return dense(self.num_entities, self.num_features, self.project_features)

    def opened(self):
        return type(self).from_config({**self.get_config(), "num_entities": None})

    def get_config(self):
        return {
            **super().get_config(),
            "num_entities": self.num_entities,
            "num_features": self.num_features,
            "project_features": self.project_features,
        }
