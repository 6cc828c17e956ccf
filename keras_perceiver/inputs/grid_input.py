"""Inputs on a grid: the features of each cell, combined with the encoding of its position."""

import math

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.request_limits import MOST, USUAL, RequestLimits
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.initializers import plain_linear_init
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.part_cost import PartCost, dense
from keras_perceiver.layers.places import Places, sample
from keras_perceiver.layers.standardization import Standardization
from keras_perceiver.layers.take_rows import take_along


class GridInput(PerceiverInput):
    """Base of `Array`, `Image`, `Video` and `Audio`: a stem, a grid, positions on the grid.

    Args:
        shape: Shape of one raw example, channels last. A grid size may be None (known only at call
            time) if positions are "fourier" and `max_resolution` is given, or "none".
        positions: "fourier" (fixed), "learned" (a table) or "none".
        combine: "concat" appends positions to the features, "add" adds them.
        num_bands: Fourier frequencies for each axis. Default: half the largest grid size, at
            least 4 and at most 64.
        max_resolution: See `FourierEncoding`. Default: the sizes of the grid.
        concat_pos, sine_only: See `FourierEncoding`.
        position_dim: Width of learned positions. Default: the number of channels of the features.
        position_stddev: Standard deviation of the initial learned positions.
        project_positions: Width to which a dense layer maps the positions, or None for no layer.
        normalize: Whether the channels of raw values are standardised by statistics of the data,
            which `adapt` measures; see `Standardization`.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.
    """

    def __init__(
        self,
        shape,
        positions="fourier",
        combine="concat",
        num_bands=None,
        max_resolution=None,
        concat_pos=True,
        sine_only=False,
        position_dim=None,
        position_stddev=0.02,
        project_positions=None,
        normalize=False,
        **kwargs,
    ):
        if normalize is True:
            kwargs.setdefault("autocast", False)  # half precision is too coarse for large offsets
        super().__init__(**kwargs)
        self.shape = arguments.sizes("shape", shape, allow_none=True)
        if len(self.shape) < 2 or self.shape[-1] is None:
            raise ValueError(
                "`shape` must have one or more grid axes and then a known number of channels, "
                "like (length, channels) or (height, width, channels). Received: "
                f"shape={shape!r}"
            )
        self.positions = arguments.one_of("positions", positions, ("fourier", "learned", "none"))
        self.combine = arguments.one_of("combine", combine, ("concat", "add"))
        self.max_resolution = arguments.resolution("max_resolution", max_resolution)
        self.num_bands = arguments.optional_whole_number("num_bands", num_bands)
        self.concat_pos = arguments.flag("concat_pos", concat_pos)
        self.sine_only = arguments.flag("sine_only", sine_only)
        self.position_dim = arguments.optional_whole_number("position_dim", position_dim)
        self.position_stddev = arguments.number("position_stddev", position_stddev, above=0)
        self.project_positions = arguments.optional_whole_number(
            "project_positions", project_positions
        )
        self.normalize = arguments.flag("normalize", normalize)

    def before_stem(self, inputs):
        """What is standardised. Default: the raw values."""
        return inputs

    def before_stem_channels(self):
        return self.shape[-1]

    # A stem turns raw values into features on a grid; the default stem returns them unchanged.

    steps = None  # numbers by which the sizes of an example must be divisible, channels included

    def stem_shape(self, shape=None):
        """(*grid, channels) after the stem, for examples of `shape`. Default: `self.shape`."""
        return shape or self.shape

    def build_stem(self):
        pass

    def stem(self, inputs, training=None, repeated=False):
        """Features on the grid. `repeated`: whether they were already computed in this step."""
        return inputs

    def stem_cost(self):
        """`PartCost` of the stem alone."""
        return PartCost()

    @property
    def grid(self):
        """Sizes of the grid whose cells are the inputs of the Perceiver."""
        return tuple(self.stem_shape()[:-1])

    @property
    def input_dim(self):
        """Width of each input: features and positions."""
        channels = self.stem_shape()[-1]
        if self.positions == "none" or self.combine == "add":
            return channels
        return channels + self._positions_width()

    def _positions_width(self):
        if self.project_positions is not None:
            return self.project_positions
        if self.positions == "learned":
            return self.position_dim or self.stem_shape()[-1]
        return self.make_fourier().num_features(len(self.grid))

    def make_fourier(self):
        """The Fourier encoding of this grid, as a layer."""
        known = [size for size in self.grid if size is not None]
        resolution = self.max_resolution
        if resolution is None:
            if len(known) < len(self.grid):
                raise ValueError(
                    "`max_resolution` must be given if a size of the grid is None. Received: "
                    f"shape={self.shape}, max_resolution=None"
                )
            resolution = self.grid
        largest = max(resolution) if isinstance(resolution, (tuple, list)) else resolution
        return FourierEncoding(
            num_bands=self.num_bands or min(64, max(4, largest // 2)),
            max_resolution=resolution,
            concat_pos=self.concat_pos,
            sine_only=self.sine_only,
            dtype=self.dtype_policy,
            name="fourier",
        )

    def raw_parts(self):
        return {"inputs": (tuple(self.shape), "float32")}

    def build(self, input_shape):
        if self.normalize:
            self.standardization = Standardization(dtype=self.dtype_policy, name="standardization")
            self.standardization.build((None, self.before_stem_channels()))
        self.build_stem()
        *grid, channels = self.stem_shape()
        if self.positions == "none":
            return
        if self.positions == "fourier":
            self.encoding = self.make_fourier()
            width = self.encoding.num_features(len(grid))
        else:
            if None in grid:
                raise ValueError(
                    "Learned positions need a grid of known size. Received: "
                    f"shape={self.shape}, positions='learned'"
                )
            width = self.position_dim or channels
            self.encoding = LearnedArray(
                math.prod(grid),
                width,
                initializer=keras.initializers.TruncatedNormal(stddev=self.position_stddev),
                dtype=self.dtype_policy,
                name="positions",
            )
        self.encoding.build((None, *grid, channels))
        if self.project_positions is not None:
            self.projection = keras.layers.Dense(
                self.project_positions,
                kernel_initializer=plain_linear_init(),
                dtype=self.dtype_policy,
                name="positions_projection",
            )
            self.projection.build((None, None, width))
            width = self.project_positions
        if self.combine == "add" and width != channels:
            raise ValueError(
                f"combine='add' needs positions as wide as the features ({channels}); set "
                f"`project_positions`={channels} or combine='concat'. Received positions of width "
                f"{width}"
            )

    @property
    def separable(self):
        """Whether positions can be kept separate; see `SeparableCrossAttention`."""
        apart = self.positions == "fourier" and self.combine == "concat"
        return apart and self.project_positions is None

    def read(self, raw, repeated=False, **options):
        return self._read(raw, **options, **({"repeated": True} if repeated else {}))

    def call(self, inputs, indices=None, joined=True, repeated=False, training=None):
        inputs = self.before_stem(inputs)
        if self.normalize:
            inputs = self.standardization(inputs)
        features = self.stem(inputs, training=training, repeated=repeated)
        return self.join(features, indices) if joined else features

    def join(self, features, indices=None):
        """Adds positions to features on the grid, `(batch, *grid, channels)`.

        `indices` `(batch, n)` selects cells of the grid, in row-major order.
        """
        batch, *grid, channels = ops.shape(features)
        array = ops.reshape(features, (-1, math.prod(grid), channels))
        if indices is not None:
            array = take_along(array, indices)
        if self.positions == "none":
            return array
        if indices is None:
            return self._with_positions(array, self.encoding(features))
        return self._with_positions(array, self._encoded(array, indices, grid))

    def _encoded(self, array, indices, grid):
        if self.positions == "learned":
            return self.encoding(array, indices=indices)
        return self.encoding.encode_indices(indices, grid)

    def _with_positions(self, array, positions):
        if self.project_positions is not None:
            positions = self.projection(positions)
        positions = ops.cast(positions, array.dtype)
        if self.combine == "add":
            return array + positions
        return ops.concatenate([array, positions], axis=-1)

    def places(self, random, count):
        if self.positions == "none":
            return None
        grid = self.grid
        if None in grid:
            sizes = self.make_fourier().max_resolution
            sizes = (sizes,) * len(grid) if isinstance(sizes, int) else sizes
            grid = tuple(size or int(of_fourier) for size, of_fourier in zip(grid, sizes))
        indices = sample(random, math.prod(grid), count)
        array = random.normal(size=(1, len(indices), self.stem_shape()[-1]))
        array = ops.convert_to_tensor(array, self.compute_dtype)
        encoded = self._encoded(array, ops.convert_to_tensor(indices[None], "int32"), grid)
        return Places.of_cells(numbers(self._with_positions(array, encoded))[0], indices, grid)

    def content_channels(self):
        content = np.ones(self.input_dim, bool)
        if self.combine == "concat":
            content[self.stem_shape()[-1] :] = False
        return content

    def start_locally(self):
        if self.positions == "learned":
            self.encoding.tell_places_apart(self.grid)

    @property
    def num_inputs(self):
        return None if None in self.grid else math.prod(self.grid)

    # For a `Reconstruction` of this input, which has one query for each cell of a grid.

    def query_grid(self):
        """The grid of queries, the number of values per query, and the shape of one example."""
        return self.shape[:-1], self.shape[-1], self.shape

    def num_inputs_of(self, shape):
        return math.prod(self.stem_shape(tuple(shape))[:-1])

    def cost(self):
        *grid, channels = self.stem_shape()
        num_inputs, total = math.prod(grid), self.stem_cost()
        if self.normalize:
            total += PartCost(parameters=2 * self.before_stem_channels() + 1)
        if self.positions == "none":
            return total
        if self.positions == "learned":
            width = self.position_dim or channels
            total += PartCost(parameters=num_inputs * width)
        else:
            width = self.make_fourier().num_features(len(grid))
        if self.project_positions is not None:
            total += dense(num_inputs, width, self.project_positions)
        return total

    def open_config(self):
        """The arguments that open the sizes of the grid, or None if they are fixed."""
        return None

    def opened(self):
        if self.positions == "learned" or self.open_config() is None:
            return self
        config = {**self.get_config(), **self.open_config()}
        if self.positions == "fourier":  # keep the frequencies
            fourier = self.make_fourier()
            config.update(num_bands=fourier.num_bands, max_resolution=fourier.max_resolution)
        return type(self).from_config(config)

    def request_limits(self, max_growth):
        largest, usual = self._request_sizes(max_growth)
        steps = self.steps and (1, *self.steps)
        limits = {self.modality: RequestLimits(largest, usual, steps)}
        if self.masked:
            sizes = ((self.num_inputs_of(shape),) for shape in (largest, usual))
            limits[f"{self.modality}_mask"] = RequestLimits(*sizes)
        if self.may_be_missing:
            limits[f"{self.modality}_present"] = RequestLimits((1,), (1,))
        return limits

    def _request_sizes(self, max_growth):
        """The largest and the usual shape, from `shape` or, if open, the Fourier resolution."""
        if self.open_config() is None:
            return self.shape, self.shape
        natural = [None] * len(self.shape)
        if self.positions == "fourier" and None in self.shape:
            resolution = self.make_fourier().max_resolution
            known = isinstance(resolution, int)
            natural = [resolution] * len(natural) if known else [*resolution, None]
        largest, usual = [], []
        for size, most, step in zip(self.shape, natural, self.steps or (1,) * len(self.shape)):
            largest.append((size or (most or MOST) * step) * max_growth)
            usual.append(size or min(USUAL * step, largest[-1]))
        return (*largest[:-1], self.shape[-1]), tuple(usual)

    def compute_output_spec(self, inputs, indices=None, joined=True, repeated=False, training=None):
        if not joined:
            shape = (inputs.shape[0], *self.stem_shape())
            return keras.KerasTensor(shape, self.compute_dtype)
        length = self.num_inputs if indices is None else indices.shape[1]
        return keras.KerasTensor((inputs.shape[0], length, self.input_dim), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "shape": tuple(self.shape),
            "positions": self.positions,
            "combine": self.combine,
            "num_bands": self.num_bands,
            "max_resolution": self.max_resolution,
            "concat_pos": self.concat_pos,
            "sine_only": self.sine_only,
            "position_dim": self.position_dim,
            "position_stddev": self.position_stddev,
            "project_positions": self.project_positions,
            "normalize": self.normalize,
        }
