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
        count, size = self._pieces()
        arrays = [self._split(array, count, size) for array in arrays]

        def step(_, i):
            found = function(i // count, *(array[i] for array in arrays))
            return found, found

        # Not `ops.map`: TensorFlow runs its steps side by side, which takes more memory. Of the
        # first answer only the shape is used, which graph compilers know without computing it.
        zeros = keras.tree.map_structure(ops.zeros_like, step(None, 0)[0])
        _, found = ops.scan(step, zeros, ops.arange(self.batch * count))

        def joined(pieces):
            return ops.reshape(pieces, (-1, count * size, *ops.shape(pieces)[2:]))[:, : self.n]

        return keras.tree.map_structure(joined, found)

    def accumulate(self, function, begin, *arrays):
        """Calls `so_far = function(so_far, example, *pieces)` for one piece after the other.

        `begin` is what each example begins with, `(batch, ...)`: a float array, or several. The
        last answers come back, `(batch, ...)`. Pieces are filled up with zeros where `n` things do
        not come out even.
        """
        if self.size is None:
            return function(begin, None, *arrays)
        count, size = self._pieces()
        arrays = [self._split(array, count, size) for array in arrays]

        def step(i, example, so_far):
            pieces = (array[example * count + i] for array in arrays)
            found = function(so_far, example, *pieces)
            # TensorFlow would begin ten steps at once; this makes the next wait for the answer.
            never = ops.ravel(keras.tree.flatten(found)[0])[0] < float("-inf")
            return i + 1 + ops.cast(never, "int32"), example, found

        def of_example(_, example):
            here = keras.tree.map_structure(lambda array: array[example], begin)
            found = ops.while_loop(lambda i, *_: i < count, step, (0, example, here))[-1]
            return found, found

        zeros = keras.tree.map_structure(lambda array: ops.zeros_like(array[0]), begin)
        return ops.scan(of_example, zeros, ops.arange(self.batch))[1]

    @property
    def fills_up(self):
        """Whether the last piece may be filled up with zeros."""
        if self.size is None:
            return False
        count, size = self._pieces()
        return not isinstance(self.n, int) or count * size != self.n

    def _pieces(self):
        """How many, and how large: all the same."""
        size = min(self.size, self.n) if isinstance(self.n, int) else self.size
        count = -(-self.n // size)
        if isinstance(self.n, int):
            # A few pieces more where they then come out even: nothing need be copied to fill up.
            even = (c for c in range(count, count + count // 4 + 1) if self.n % c == 0)
            count = next(even, count)
            size = -(-self.n // count)
        return count, size

    def _split(self, array, count, size):
        rest, missing = ops.shape(array)[2:], count * size - self.n
        if not (isinstance(missing, int) and missing == 0):
            array = ops.pad(array, [(0, 0), (0, missing), *[(0, 0)] * len(rest)])
        return ops.reshape(array, (-1, size, *rest))
