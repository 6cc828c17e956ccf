"""The stems of the papers' models, applied to pixels before positions are added."""

import math

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import plain_linear_init
from keras_perceiver.layers.part_cost import PartCost, dense

STEMS = ("pixels", "patches", "conv1x1", "conv")
NORMS = ("batch", "group")
LAYERS = {  # by the number of axes
    1: (keras.layers.Conv1D, keras.layers.MaxPooling1D),
    2: (keras.layers.Conv2D, keras.layers.MaxPooling2D),
}


@keras.saving.register_keras_serializable(package="keras_perceiver")
class ImageStem(keras.layers.Layer):
    """Pixels, patches, a 1x1 convolution, or convolution and max-pooling.

    Args:
        stem: "pixels": every `patch_size`-th pixel. "patches": the concatenated values of each
            patch (frame, row, column, channel), and with `stem_channels` a dense layer on them.
            "conv1x1": a dense layer on every `patch_size`-th pixel. "conv": for each factor 4 of
            `patch_size`, a 7x7 convolution of stride 2, normalisation, ReLU and 3x3 max-pooling
            of stride 2; video frame by frame, series along their one axis.
        patch_size: A factor for each axis of the grid.
        stem_channels: Width of the result; None for "pixels" and plain "patches".
        symmetric_padding: Whether "conv" pads both sides equally and does not pad the pooling, like
            Hugging Face's port; otherwise both use TensorFlow's "SAME" padding.
        norm: The normalisation of "conv": "batch" (the published model), or "group", over all
            values of one image, which does not depend on the batch and has no moving averages.

    Call arguments:
        inputs: Array of shape `(batch, *grid, channels)` with one to three grid axes.
        repeated: Whether the stem was already applied to these inputs in this step: batch
            normalisation then does not update its moving averages again.

    Returns:
        Array of shape `(batch, *smaller grid, width)`.
    """

    def __init__(
        self,
        stem,
        patch_size,
        stem_channels=None,
        symmetric_padding=False,
        norm="batch",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.stem = arguments.one_of("stem", stem, STEMS)
        self.patch_size = arguments.sizes("patch_size", patch_size)
        arguments.optional_whole_number("stem_channels", stem_channels)
        if stem in ("conv1x1", "conv") and stem_channels is None:
            raise ValueError(f"`stem_channels` must be given for stem={stem!r}. Received: None")
        if stem == "pixels" and stem_channels is not None:
            raise ValueError(
                "`stem_channels` must be None for stem='pixels', which has no weights; "
                f"stem='conv1x1' projects pixels. Received: stem_channels={stem_channels}"
            )
        self.stem_channels = stem_channels
        self.symmetric_padding = arguments.flag("symmetric_padding", symmetric_padding)
        self.norm = arguments.one_of("stem_norm", norm, NORMS)
        self.axes = min(2, len(self.patch_size))  # along which convolutions go
        if stem == "conv":
            frames, convolved = self.patch_size[: -self.axes], self.patch_size[-self.axes :]
            factor = convolved[0]
            self.num_convs = round(math.log(factor, 4))
            whole = 4**self.num_convs == factor and self.num_convs > 0
            if not whole or set(convolved) != {factor} or max(frames, default=1) > 1:
                raise ValueError(
                    "`patch_size` must be a power of 4, the same for height and width, and 1 for "
                    f"frames, for stem='conv'. Received: patch_size={self.patch_size}"
                )

    def out_shape(self, shape):
        """The shape of one example after the stem, from its shape before the stem."""
        *grid, channels = shape
        if self.stem == "patches":
            for size, patch in zip(grid, self.patch_size):
                if size is not None and size % patch:
                    raise ValueError(
                        f"Each grid size must be divisible by `patch_size` for stem='patches'. "
                        f"Received: grid {tuple(grid)}, patch_size={self.patch_size}"
                    )
            grid = [size and size // patch for size, patch in zip(grid, self.patch_size)]
            return (*grid, self.stem_channels or channels * math.prod(self.patch_size))
        if self.stem == "conv" and self.symmetric_padding:
            for _ in range(self.num_convs):
                # 7x7 stride 2 padded by 3 on both sides, then 3x3 stride 2 without padding.
                convolved = grid[-self.axes :]
                grid[-self.axes :] = [n and ((n - 1) // 2 + 1 - 3) // 2 + 1 for n in convolved]
        else:
            grid = [n and -(-n // patch) for n, patch in zip(grid, self.patch_size)]
        return (*grid, self.stem_channels or channels)

    def build(self, input_shape):
        channels = input_shape[-1]
        self.out_shape(input_shape[1:])
        if self.stem == "conv":
            self.convs, self.norms, self.pools = [], [], []
            padding = "valid" if self.symmetric_padding else "same"
            convolution, pooling = LAYERS[self.axes]
            for i in range(self.num_convs):
                conv = convolution(
                    self.stem_channels,
                    7,
                    strides=2,
                    padding=padding,
                    use_bias=False,
                    data_format="channels_last",
                    kernel_initializer=plain_linear_init(),
                    dtype=self.dtype_policy,
                    name=f"conv_{i}",
                )
                some = (None,) * (1 + self.axes)
                conv.build((*some, channels))
                norm = self._make_norm(f"norm_{i}")
                norm.build((*some, self.stem_channels))
                pool = pooling(
                    3,
                    strides=2,
                    padding=padding,
                    data_format="channels_last",
                    dtype=self.dtype_policy,
                )
                self.convs.append(conv)
                self.norms.append(norm)
                self.pools.append(pool)
                channels = self.stem_channels
        elif self.stem_channels is not None:
            if self.stem == "patches":
                channels *= math.prod(self.patch_size)
            self.projection = keras.layers.Dense(
                self.stem_channels,
                kernel_initializer=plain_linear_init(),
                dtype=self.dtype_policy,
                name="projection",
            )
            self.projection.build((None, channels))

    def _make_norm(self, name):
        options = {"epsilon": 1e-5, "dtype": self.dtype_policy, "name": name}
        if self.norm == "batch":
            return keras.layers.BatchNormalization(momentum=0.9, **options)
        return keras.layers.GroupNormalization(groups=1, **options)

    def call(self, inputs, training=None, repeated=False):
        if self.stem == "patches":
            inputs = self._patches(inputs)
        elif self.stem == "conv":
            return self._convolved(inputs, training, repeated)
        elif any(step > 1 for step in self.patch_size):
            inputs = inputs[(slice(None), *(slice(None, None, step) for step in self.patch_size))]
        return inputs if self.stem_channels is None else self.projection(inputs)

    def _patches(self, inputs):
        batch, *grid, channels = ops.shape(inputs)
        if self.axes == 1:
            (patch,) = self.patch_size
            return ops.reshape(inputs, (-1, grid[0] // patch, patch * channels))
        *frames, rows, columns = self.patch_size
        cells = [size // patch for size, patch in zip(grid, self.patch_size)]
        # Six axes, the most that LiteRT can transpose: frame cells are merged with the batch, and a
        # patch's columns with their channels.
        split = (-1, math.prod(frames), cells[-2], rows, cells[-1], columns * channels)
        inputs = ops.transpose(ops.reshape(inputs, split), (0, 2, 4, 1, 3, 5))
        return ops.reshape(inputs, (-1, *cells, math.prod(self.patch_size) * channels))

    def _convolved(self, inputs, training, repeated):
        shape = ops.shape(inputs)
        frames, convolved = shape[1 : -1 - self.axes], shape[-1 - self.axes :]
        x = ops.reshape(inputs, (-1, *convolved)) if frames else inputs
        for conv, norm, pool in zip(self.convs, self.norms, self.pools):
            if self.symmetric_padding:
                x = ops.pad(x, ((0, 0), *[(3, 3)] * self.axes, (0, 0)))
            x = conv(x)
            if self.norm == "group":
                x = norm(x)
            elif repeated and training:
                x = _by_batch(norm, x)
            else:
                x = norm(x, training=training)
            x = pool(ops.relu(x))
        return ops.reshape(x, (-1, *frames, *ops.shape(x)[1:])) if frames else x

    def cost(self, shape):
        """`PartCost` for an example of this shape."""
        if self.stem == "conv":
            return self._convolutions_cost(shape)
        if self.stem_channels is None:
            return PartCost()
        cells = math.prod(self.out_shape(shape)[:-1])
        width = shape[-1] * (math.prod(self.patch_size) if self.stem == "patches" else 1)
        return dense(cells, width, self.stem_channels)

    def _convolutions_cost(self, shape):
        *grid, channels = shape
        frames, sizes = grid[: -self.axes], grid[-self.axes :]
        total, units = PartCost(), self.stem_channels
        for _ in range(self.num_convs):
            sizes = [-(-size // 2) for size in sizes]
            cells = math.prod(frames) * math.prod(sizes)
            total += dense(cells, 7**self.axes * channels, units, bias=False)
            weights = (4 if self.norm == "batch" else 2) * units
            total += PartCost(parameters=weights, kept=2 * cells * units)
            if self.symmetric_padding:
                sizes = [(size - 3) // 2 + 1 for size in sizes]
            else:
                sizes = [-(-size // 2) for size in sizes]
            channels = units
        return total

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.out_shape(input_shape[1:]))

    def get_config(self):
        return {
            **super().get_config(),
            "stem": self.stem,
            "patch_size": self.patch_size,
            "stem_channels": self.stem_channels,
            "symmetric_padding": self.symmetric_padding,
            "norm": self.norm,
        }


def _by_batch(norm, x):
    """Batch normalisation as in training, without an update of the moving averages."""
    wide = ops.cast(x, "float32")
    mean, variance = ops.moments(wide, axes=tuple(range(len(x.shape) - 1)))
    normed = ops.batch_normalization(
        wide, mean, variance, -1, offset=norm.beta, scale=norm.gamma, epsilon=norm.epsilon
    )
    return ops.cast(normed, x.dtype)
