"""A segmenter: a class for each pixel or cell."""

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.models.chosen_sizes import chosen_inputs
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
    patch_size=None,
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
        patch_size: See `Grid`. Default: as large as the patches or cells that the stem of the only
            input makes, if `grid` is that of its pixels; otherwise, with `num_decoded` and with
            `initialization="papers"`, single cells.
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
    readers = list(as_inputs(chosen_inputs(inputs, options)).values())
    only = readers[0] if len(readers) == 1 and isinstance(readers[0], GridInput) else None
    if grid is None:
        if only is None:
            raise ValueError(
                "`grid` must be given unless there is one input on a grid. Received: grid=None"
            )
        grid = tuple(only.shape[:-1])
    chosen = {}
    if patch_size is None:
        patch_size = 1
        local = options.get("initialization", "local") == "local"
        if local and num_decoded is None and _has_pixels_of(only, grid):
            patch_size = only.patch_size
            chosen["patch_size"] = (patch_size, "one query answers a whole cell of the stem")
    outputs = Grid(
        grid,
        num_classes=num_classes,
        num_bands=num_bands,
        num_decoded=num_decoded,
        patch_size=patch_size,
    )
    model = build_perceiver_io(inputs, outputs, name=name, **options)
    model.chosen.update(chosen)
    return model


def _has_pixels_of(reader, grid):
    """Whether `grid` is that of the pixels from which an input's stem makes larger cells."""
    patch_size = getattr(reader, "patch_size", (1,))
    known = isinstance(grid, (tuple, list)) and None not in grid
    return max(patch_size) > 1 and known and tuple(reader.shape[:-1]) == tuple(grid)
