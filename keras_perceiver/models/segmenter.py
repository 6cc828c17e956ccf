"""A segmenter: a class for each pixel or cell."""

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.models.descriptions import as_inputs
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.grid import Grid


@arguments.takes_also(build_perceiver_io)
def build_segmenter(
    inputs,
    num_classes: int,
    *,
    grid: tuple | None = None,
    num_bands: int | None = None,
    num_decoded: int | None = None,
    name: str = "perceiver_segmenter",
    **options,
):
    """Builds and compiles a Perceiver IO that classifies each cell of a grid.

    Args:
        inputs: A shape such as `(height, width, channels)`, an input description, or a dict of
            them by name.
        num_classes: Number of classes.
        grid: Sizes of the output grid. Default: the grid of the only input, before its stem.
        num_bands, num_decoded: See `Grid`.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` that returns logits `(batch, *grid, num_classes)`; targets are whole numbers
        `(batch, *grid)`.

    Raises:
        ValueError: if `grid` is needed but missing, or an argument is out of range.

    Example:

    >>> model = kp.build_segmenter((64, 64, 3), num_classes=21)

    Reference: Perceiver IO (arXiv 2107.14795), section 3.2 (dense outputs).
    """
    if grid is None:
        readers = list(as_inputs(inputs).values())
        if len(readers) > 1 or not isinstance(readers[0], GridInput):
            raise ValueError(
                "`grid` must be given unless there is one input on a grid. Received: grid=None"
            )
        grid = tuple(readers[0].shape[:-1])
    outputs = Grid(grid, num_classes=num_classes, num_bands=num_bands, num_decoded=num_decoded)
    return build_perceiver_io(inputs, outputs, name=name, **options)
