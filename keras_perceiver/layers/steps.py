"""Doing a large computation a piece at a time, so that what it needs stays small."""

import dataclasses

import keras
from keras import ops

CACHE = 4 * 2**20  # bytes that stay in the cache of a CPU while several operations pass over them
ACCELERATOR = 256 * 2**20  # bytes that fill a GPU or TPU with work and still are few
FLOAT = 4  # bytes


def default_budget():
    """Bytes that one step's largest array may take, on the device that is there."""
    return CACHE if on_cpu() else ACCELERATOR


def on_cpu():
    """Whether there is no other device than CPUs."""
    if keras.backend.backend() == "torch":  # Keras does not list its devices
        return keras.ops.zeros(1).device.type == "cpu"
    return all("cpu" in device.lower() for device in keras.distribution.list_devices())


def plan(batch, n, rows, columns, budget=None, reads=0):
    """How to walk an array of `(batch, n, rows, columns)` floats along `n`.

    Sizes may be tensors, where they are known only at run time. `reads` is how many numbers each
    step reads for every one of the `rows * columns`: where these are many, steps are longer, so
    that reading them is not most of the work.
    """
    if not all(isinstance(size, int) for size in (rows, columns)):
        return Plan(batch, n, 16)
    each = FLOAT * rows * columns
    if budget is None:
        budget = max(default_budget(), min(reads // 2 * each, ACCELERATOR))
    if isinstance(batch, int):
        at_once = batch * n * each <= 4 * budget if isinstance(n, int) else False
    else:
        at_once = isinstance(n, int) and n * each <= budget // 16  # batches of 64 are common
    return Plan(batch, n, None if at_once else max(1, budget // each))


@dataclasses.dataclass
class Plan:
    """`size` of `n` things at a time, for one example of a batch after the other.

    `size` None does everything at once.
    """

    batch: object
    n: object
    size: int | None

    def in_steps(self, function, *arrays):
        """Calls `function(example, *pieces)` on pieces of arrays `(batch, n, ...)`.

        It must return an array `(size, ...)`, or several; these are joined to `(batch, n, ...)`.
        Where everything is done at once, it is called with `example` None and whole arrays.
        """
        if self.size is None:
            return function(None, *arrays)
        size = min(self.size, self.n) if isinstance(self.n, int) else self.size
        count = -(-self.n // size)
        if isinstance(self.n, int):
            size = -(-self.n // count)  # equal pieces
        missing = count * size - self.n
        arrays = [self._split(array, count, size, missing) for array in arrays]

        def step(_, i):
            found = function(i // count, *(array[i] for array in arrays))
            return found, found

        # Not `ops.map`: TensorFlow runs its steps side by side, which takes more memory. Of the
        # first answer only the shape is used, which graph compilers know without computing it.
        like = keras.tree.map_structure(ops.zeros_like, step(None, 0)[0])
        _, found = ops.scan(step, like, ops.arange(self.batch * count))

        def joined(pieces):
            return ops.reshape(pieces, (-1, count * size, *ops.shape(pieces)[2:]))[:, : self.n]

        return keras.tree.map_structure(joined, found)

    def _split(self, array, count, size, missing):
        rest = ops.shape(array)[2:]
        if not (isinstance(missing, int) and missing == 0):
            array = ops.pad(array, [(0, 0), (0, missing), *[(0, 0)] * len(rest)])
        return ops.reshape(array, (-1, size, *rest))
