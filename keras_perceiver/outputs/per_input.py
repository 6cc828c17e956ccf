"""Something at each input."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class PerInput(ValuesOrClasses):
    """Numbers or a class for each input: optical flow, entities, token classification.

    The queries are the preprocessed inputs themselves, features and positions. Inputs that are
    masked are not queried either: their decoder attention is zero. The model returns
    `(batch, num_inputs, channels)`, for inputs on a grid `(batch, *grid, channels)`; or logits.

    Args:
        input: Name of the input. Default: the only one.
        channels, num_classes, loss: What is at each input; one of the first two. See
            `ValuesOrClasses`.
        scale: Constant factor on the result.
        zero_init: Whether the last layer starts from zeros, as in the flow model.

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
        self.input = input
        self.scale = arguments.number("scale", scale)
        self.zero_init = bool(zero_init)

    def check(self, name, readers):
        if self.input is None and len(readers) == 1:
            return
        if self.input not in readers:
            raise ValueError(
                f"Output '{name}' has one result for each element of `input`, which must be one "
                f"of {sorted(readers)}. Received: input={self.input!r}"
            )

    def _of(self, readers):
        return next(iter(readers)) if self.input is None else self.input

    def sources(self, name, readers):
        key = self._of(readers)
        return readers[key].raw_inputs(key)

    def query_layer(self, name, readers, latent_dim, dtype):
        return None

    def queries(self, layer, name, readers, latents, sources, indices=None):
        key = self._of(readers)
        return readers[key].read(sources, key, indices)

    def queries_apart(self, layer, name, readers, latents, sources):
        key = self._of(readers)
        if not readers[key].separable:
            return None
        return readers[key].read(sources, key, joined=False), readers[key].make_fourier()

    def query_mask(self, name, readers, sources, queries):
        key = self._of(readers)
        return readers[key].mask(sources, key, queries)

    def num_queries(self, name, readers, raw):
        key = self._of(readers)
        known = readers[key].num_inputs
        return raw[key].shape[1] if known is None else known

    def target_shape(self, readers):
        reader = readers[self._of(readers)]
        if isinstance(reader, GridInput) and None not in reader.grid:
            return (*reader.grid, self.output_dim)
        return None

    def head_layer(self, name, readers, dtype):
        return OutputHead(
            self.output_dim,
            target_shape=self.target_shape(readers),
            scale=self.scale,
            kernel_initializer="zeros" if self.zero_init else None,
            name=f"{name}_head",
            dtype=dtype,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "input": self.input,
            "scale": self.scale,
            "zero_init": self.zero_init,
        }
