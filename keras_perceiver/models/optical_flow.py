"""Optical flow for images of any size."""

import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.frame_pair import FramePair
from keras_perceiver.models.flow_tiles import cut_tiles, join_tiles, tile_starts
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.flow import Flow


@arguments.takes_also(build_perceiver_io)
def build_optical_flow(
    height: int = 368,
    width: int = 496,
    *,
    stem_channels: int = 64,
    num_bands: int | None = None,
    max_resolution: int | tuple | None = None,
    neighbourhood: int = 3,
    stem: str = "neighbourhoods",
    stem_norm: str = "batch",
    scale: float = 0.2,
    upsampling: str | None = None,
    loss=None,
    name: str = "perceiver_flow",
    **options,
):
    """Builds and compiles a Perceiver IO that computes the optical flow between two frames.

    Args:
        height, width: Size of the frames. `predict_flow` divides larger images into tiles.
        stem_channels: Width of the features of each pixel, or of each cell after stem "conv".
        num_bands: Fourier frequencies for each axis. Default: half the larger side of the grid, at
            least 4 and at most 64.
        max_resolution: See `FourierEncoding`. Default: the sizes of the grid: `(height, width)`, or
            a quarter of both, rounded up, with stem "conv".
        neighbourhood: Side of the square of pixels around each pixel, an odd number.
        stem: "neighbourhoods", with an input for each pixel, or "conv", with one for 4 x 4 pixels;
            see `FramePair`.
        stem_norm: The normalisation of stem "conv"; see `Image`.
        scale: Factor that converts the output of the last layer to pixels, above 0; see `Flow`. The
            published network divides by 100 and multiplies by 20.
        upsampling: "convex"; see `Flow`. Default: "convex" with stem "conv", otherwise none.
        loss: Default: the mean end-point error.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` from frames in [-1, 1] `(batch, 2, height, width, 3)` to the flow in pixels
        `(batch, height, width, 2)`: the displacement of each pixel of the first frame to the right
        and down.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.

    Example (the published model; 41,057,134 parameters):

    >>> model = kp.from_preset("perceiver_io_optical_flow")

    Example (the variant with a convolution and learned upsampling; 41,429,754 parameters):

    >>> model = kp.from_preset("perceiver_io_optical_flow_conv")

    Reference: Perceiver IO (arXiv 2107.14795), section 4.2 and appendix H.
    """
    frames = FramePair(
        height,
        width,
        neighbourhood=neighbourhood,
        stem_channels=stem_channels,
        num_bands=num_bands,
        max_resolution=max_resolution,
        stem=stem,
        stem_norm=stem_norm,
    )
    flow = Flow(scale=scale, upsampling=upsampling)
    return build_perceiver_io(frames, flow, loss=loss, name=name, **options)


def predict_flow(model, first, second, *, min_overlap: int = 20, batch_size: int = 1):
    """The flow between two images that are at least as large as the model's frames.

    The images are divided into overlapping tiles.

    Args:
        model: A model from `build_optical_flow`.
        first, second: Images of shape `(height, width, 3)`, values from 0 to 255.
        min_overlap: Smallest overlap of neighbouring tiles, in pixels.
        batch_size: Number of tiles that are computed at a time.

    Returns:
        NumPy floats `(height, width, 2)`: the displacement of each pixel to the right and down,
        in pixels. Overlapping tiles are averaged with weights that decrease towards the edges of a
        tile.

    Raises:
        ValueError: if the images differ in shape, are smaller than a tile or are not RGB.

    Example:

    >>> flow = kp.predict_flow(model, frame_0, frame_1)

    Reference: Perceiver IO (arXiv 2107.14795), appendix H (tiled evaluation on Sintel).
    """
    arguments.whole_number("batch_size", batch_size)
    arguments.whole_number("min_overlap", min_overlap, at_least=0)
    first, second = arguments.floats("first", first), arguments.floats("second", second)
    if len(getattr(model, "input_shape", None) or ()) != 5:
        raise TypeError(
            "`model` must be a model from kp.build_optical_flow. Received: "
            f"model of type {type(model).__name__}"
        )
    tile = tuple(model.input_shape[2:4])
    if first.shape != second.shape or first.ndim != 3 or first.shape[-1] != 3:
        raise ValueError(
            "`first` and `second` must both have shape (height, width, 3). Received: shapes "
            f"{first.shape} and {second.shape}"
        )
    if first.shape[0] < tile[0] or first.shape[1] < tile[1]:
        raise ValueError(
            f"`first` must be at least as large as the model's frames, {tile}. Received: shape "
            f"{first.shape}"
        )
    if not 0 <= min_overlap < min(tile):
        raise ValueError(
            f"`min_overlap` must be at least 0 and less than {min(tile)}, the smaller side of a "
            f"tile. Received: min_overlap={min_overlap}"
        )
    for name, image in (("first", first), ("second", second)):
        arguments.finite(name, image)
    frames = np.stack([first, second]) / 255.0 * 2.0 - 1.0
    starts = [tile_starts(n, t, min_overlap) for n, t in zip(first.shape, tile)]
    tiles = ops.convert_to_numpy(cut_tiles(frames[None], starts, tile))
    flows = [
        np.asarray(model.predict_on_batch(tiles[start : start + batch_size]), "float32")
        for start in range(0, len(tiles), batch_size)
    ]
    return ops.convert_to_numpy(join_tiles(np.concatenate(flows), starts, first.shape[:2]))[0]
