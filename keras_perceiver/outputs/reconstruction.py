"""Reconstruction of an input."""

import keras

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.outputs.grid_output import GridOutput
from keras_perceiver.outputs.grid_queries import GridQueries


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Reconstruction(GridOutput):
    """Reconstructs an input on a grid, cell by cell (video, images) or patch by patch (sound).

    The queries are the Fourier features of the positions, with the same frequencies as the input.
    The model returns an array of the shape of the input.

    Args:
        input: Name of the input.
        loss: Name of a Keras loss. Default: the mean absolute error, as in the paper.
        endpoint: See `FourierEncoding`. The published multimodal model uses False.
        num_decoded: If given, the model takes `<name>_indices` of shape `(batch, num_decoded)`
            (pixels of video or images, patches of sound) and returns only those, for training on
            a sample.
        num_bands: Fourier frequencies for each axis. Default: as for the input.
        max_resolution: See `FourierEncoding`. Default: as for the input.

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
        super().__init__(channels=1, loss=loss)  # `bind` sets `channels` to that of the input
        self.input = arguments.optional_text("input", input)
        self.endpoint = arguments.flag("endpoint", endpoint)
        self.num_decoded = arguments.optional_whole_number("num_decoded", num_decoded)
        self.num_bands = arguments.optional_whole_number("num_bands", num_bands)
        self.max_resolution = arguments.resolution("max_resolution", max_resolution)

    def bind(self):
        if self.input not in self.inputs:
            raise ValueError(
                f"Output '{self.name}' reconstructs `input` {self.input!r}, which must be one of "
                f"{sorted(self.inputs)}. Received: input={self.input!r}"
            )
        reader = self.inputs[self.input]
        if not isinstance(reader, GridInput) or None in reader.shape:
            raise ValueError(
                f"Output '{self.name}' can only reconstruct an input on a grid of known size "
                "(Array, Image, Video, Audio); use kp.Tokens for text, kp.Classes for labels and "
                f"kp.PerInput for sets. Received: input={self.input!r}, which is "
                f"{type(reader).__name__}"
            )
        self.reader = reader
        self.grid, self.channels, self.shape = reader.query_grid()

    shape = None  # set by `bind`, like `grid`

    @property
    def shaped_by(self):
        return self.input

    def grid_queries(self, dtype=None):
        reader, grid = self.reader, self.grid
        fourier = reader.make_fourier()
        resolution = self.max_resolution or fourier.max_resolution
        if not isinstance(resolution, int) and len(resolution) != len(grid):
            resolution = grid  # the encoder's grid has another number of axes
        return GridQueries(
            grid,
            self.num_bands or fourier.num_bands,
            resolution,
            concat_pos=reader.concat_pos,
            sine_only=reader.sine_only,
            endpoint=self.endpoint,
            name=f"{self.name}_queries",
            dtype=dtype,
        )

    def get_config(self):
        return {
            "input": self.input,
            "loss": self.loss,
            "endpoint": self.endpoint,
            "num_decoded": self.num_decoded,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
        }
