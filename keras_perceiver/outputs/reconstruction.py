"""A named input, given back."""

import math

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.outputs.grid_queries import GridQueries
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.values_or_classes import ValuesOrClasses


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Reconstruction(ValuesOrClasses):
    """An input on a grid, decoded value by value (video, images) or patch by patch (sound).

    Queries are the Fourier features of the positions, with the frequencies the input is read
    with. The model returns an array of the shape of the input.

    Args:
        input: Name of the input.
        loss: Name of a Keras loss. Default: the mean absolute error, as in the paper.
        endpoint: See `FourierEncoding`. The published multimodal model has False.
        num_decoded: If given, the model takes `<name>_indices` of shape `(batch, num_decoded)`
            (pixels of video or images, patches of sound) and returns those only, for training on
            a sample.
        num_bands, max_resolution: Default: as the input is read.

    Raises:
        ValueError: if there is no such input, or it is not on a grid.

    Example:

    >>> kp.build_perceiver_io({"video": kp.Video(16, 32, 32)},
    ...                       {"video": kp.Reconstruction("video")})

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """

    kind = "reconstruction"

    def __init__(
        self,
        input,
        loss="mae",
        endpoint=True,
        num_decoded=None,
        num_bands=None,
        max_resolution=None,
    ):
        super().__init__(channels=1, loss=loss)  # how many is the input's to say: head_layer
        self.input = input
        for name in ("num_bands", "num_decoded"):
            if locals()[name] is not None:
                arguments.whole_number(name, locals()[name])
        self.endpoint = bool(endpoint)
        self.num_decoded = num_decoded
        self.num_bands = num_bands
        self.max_resolution = max_resolution

    def check(self, name, readers):
        if self.input not in readers:
            raise ValueError(
                f"Output '{name}' reconstructs `input` {self.input!r}, which must be one of "
                f"{sorted(readers)}. Received: input={self.input!r}"
            )
        reader = readers[self.input]
        if not isinstance(reader, GridInput) or None in reader.shape:
            raise ValueError(
                f"Output '{name}' can only reconstruct an input on a grid of known size (Array, "
                "Image, Video, Audio); use kp.Tokens for text, kp.Classes for labels and "
                f"kp.PerInput for sets. Received: input={self.input!r}, which is "
                f"{type(reader).__name__}"
            )

    def target_shape(self, readers):
        return readers[self.input].query_grid()[2]

    def query_layer(self, name, readers, latent_dim, dtype):
        reader = readers[self.input]
        fourier = reader.make_fourier()
        grid = reader.query_grid()[0]
        resolution = self.max_resolution or fourier.max_resolution
        if not isinstance(resolution, int) and len(resolution) != len(grid):
            resolution = grid  # the input is read on a grid of other axes
        return GridQueries(
            grid,
            self.num_bands or fourier.num_bands,
            resolution,
            concat_pos=reader.concat_pos,
            sine_only=reader.sine_only,
            endpoint=self.endpoint,
            name=f"{name}_queries",
            dtype=dtype,
        )

    def queries_apart(self, layer, name, readers, latents, sources):
        if self.num_decoded is not None or len(layer.grid) < 2:
            return None
        return layer(latents, joined=False), layer.encoding

    def num_queries(self, name, readers, raw):
        return math.prod(readers[self.input].query_grid()[0])

    def head_layer(self, name, readers, dtype):
        _, values, shape = readers[self.input].query_grid()
        target_shape = None if self.num_decoded else shape
        return OutputHead(values, target_shape, name=f"{name}_head", dtype=dtype)

    def get_config(self):
        return {
            "input": self.input,
            "loss": self.loss,
            "endpoint": self.endpoint,
            "num_decoded": self.num_decoded,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
        }
