"""Values or classes at each input."""

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.queries import Queries
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class PerInput(ValuesOrClasses):
    """Values or classes for each input: optical flow, entities, token classification.

    The queries are the preprocessed inputs themselves, with features and positions. Masked inputs
    are also masked as queries: their attention output in the decoder is zero. The model returns
    `(batch, num_inputs, channels)`, or `(batch, *grid, channels)` for inputs on a grid, or logits.

    Args:
        input: Name of the input. Default: the only input.
        channels: Number of values at each input; the default loss is the mean squared error.
        num_classes: Alternatively, the number of classes. The outputs are then logits, the targets
            whole numbers, and the default loss is the cross-entropy.
        loss: Name of a Keras loss that replaces the default, such as "mae".
        scale: Constant factor for the result, above 0.
        zero_init: Whether the last kernel is initialised to zeros, as in the flow model.

    Raises:
        ValueError: if there is no such input, or an argument is out of range.

    Example (tagging bytes):

    >>> kp.build_perceiver_io(kp.Text(256), kp.PerInput(num_classes=9))

    Reference: Perceiver IO (arXiv 2107.14795), sections 4.2 and 4.5.
    """

    kind = "per_input"

    def __init__(
        self,
        input=None,
        channels=None,
        num_classes=None,
        loss=None,
        scale=1.0,
        zero_init=False,
    ):
        super().__init__(channels, num_classes, loss)
        self.input = arguments.optional_text("input", input)
        self.scale = arguments.number("scale", scale, above=0)
        self.zero_init = arguments.flag("zero_init", zero_init)

    def bind(self):
        if self.input is None and len(self.inputs) == 1:
            (self.input,) = self.inputs
        if self.input not in self.inputs:
            raise ValueError(
                f"Output '{self.name}' has one result for each element of `input`, which must be "
                f"one of {sorted(self.inputs)}. Received: input={self.input!r}"
            )
        self.reader = self.inputs[self.input]

    @property
    def shaped_by(self):
        return self.input

    @property
    def num_queries(self):
        return self.reader.num_inputs

    @property
    def grid_apart(self):
        if not self.reader.separable or self.reader.has_mask:
            return None
        return self.reader.grid, self.reader.stem_shape()[-1]

    @property
    def query_dim(self):
        return self.reader.input_dim

    @property
    def shape(self):
        grid = self.reader.grid
        if grid is None or None in grid:
            return super().shape
        return (*grid, self.output_dim)

    def sources(self):
        return self.reader.raw_inputs()

    def num_queries_of(self, raw):
        return self.reader.num_inputs_of(raw[self.input].shape[1:])

    def make_query_layer(self, dtype):
        return self.reader

    def asks(self, latents, sources, indices=None):
        # `repeated`: the encoder has already updated the moving averages of batch normalisation.
        if indices is not None:
            array = self.reader.read(sources, repeated=True, indices=indices)
            return Queries(array, self.reader.mask(sources, array, indices))
        array, apart = self.reader.read(sources, repeated=True), None
        if self.reader.separable:
            features = self.reader.read(sources, repeated=True, joined=False)
            apart = (features, self.reader.make_fourier())
        return Queries(array, self.reader.mask(sources, array), apart)

    def places(self, random, count):
        return self.reader.places(random, count)

    def query_cost(self):
        return self.reader.cost().repeated(1) + super().query_cost()

    def make_head(self, dtype):
        return OutputHead(
            self.output_dim,
            scale=self.scale,
            kernel_initializer="zeros" if self.zero_init else None,
            name=f"{self.name}_head",
            dtype=dtype,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "input": self.input,
            "scale": self.scale,
            "zero_init": self.zero_init,
        }
