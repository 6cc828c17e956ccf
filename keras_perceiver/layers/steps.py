"""Runs a large computation in chunks, so that it needs little memory."""

import dataclasses

import keras
from keras import ops

from keras_perceiver.layers import slices

CACHE = 4 * 2**20  # bytes that stay in the cache of a CPU between several operations
ACCELERATOR = 256 * 2**20  # bytes that keep a GPU or TPU busy but take little of its memory
FLOAT = 4  # bytes


def default_budget():
    """Largest size in bytes of the largest array of one step, on the current device."""
    return CACHE if on_cpu() else ACCELERATOR


def on_cpu():
    """Whether all devices are CPUs."""
    if keras.backend.backend() == "torch":  # Keras does not list its devices
        return keras.ops.zeros(1).device.type == "cpu"
    return all("cpu" in device.lower() for device in keras.distribution.list_devices())


def plan(batch, n, rows, columns, budget=None, reads=0):
    """The `Plan` for a loop over axis `n` of an array of `(batch, n, rows, columns)` floats.

    Sizes that are known only at run time may be tensors. `reads` is how many numbers each step
    loads for each of the `rows * columns`: if there are many, steps are larger, so that loading
    them does not dominate the time. In the context `slices.unrolled` it is a `Slices`.
    """
    if not all(isinstance(size, int) for size in (rows, columns)):
        return slices.fitting(n, 16) if slices.are_wanted() else Plan(batch, n, 16)
    each = FLOAT * rows * columns
    if budget is None:
        budget = max(default_budget(), min(reads // 2 * each, ACCELERATOR))
    if isinstance(batch, int):
        at_once = batch * n * each <= 4 * budget if isinstance(n, int) else False
    else:
        at_once = isinstance(n, int) and n * each <= budget // 16  # batches of 64 are common
    size = None if at_once else max(1, budget // each)
    return slices.fitting(n, size) if slices.are_wanted() else Plan(batch, n, size)


@dataclasses.dataclass
class Plan:
    """A loop over chunks of `size` of `n` rows, for each example of a batch.

    With `size` None, everything is computed at once.
    """

    batch: object
    n: object
    size: int | None

    def in_steps(self, function, *arrays):
        """Calls `function(example, *chunks)` on chunks of arrays `(batch, n, ...)`.

        It must return an array `(size, ...)`, or several; these are joined to `(batch, n, ...)`. If
        everything is computed at once, it is called with `example` None and whole arrays.
        """
        if self.size is None:
            return function(None, *arrays)
        count, size = self._chunks()
        arrays = [self._split(array, count, size) for array in arrays]

        def step(_, i):
            found = function(i // count, *(array[i] for array in arrays))
            return found, found

        # Not `ops.map`, whose steps TensorFlow runs in parallel, which takes more memory. Only the
        # shape of the first result is used, so graph compilers do not compute its values.
        zeros = keras.tree.map_structure(ops.zeros_like, step(None, 0)[0])
        _, found = ops.scan(step, zeros, ops.arange(self.batch * count))

        def joined(chunks):
            return ops.reshape(chunks, (-1, count * size, *ops.shape(chunks)[2:]))[:, : self.n]

        return keras.tree.map_structure(joined, found)

    def accumulate(self, function, begin, *arrays):
        """Calls `so_far = function(so_far, example, *chunks)` for one chunk after the other.

        `begin` holds the initial values of all examples, `(batch, ...)`: a float array, or several.
        Returns the final values, `(batch, ...)`. The last chunk is padded with zeros if `n` is not
        a multiple of the chunk size.
        """
        if self.size is None:
            return function(begin, None, *arrays)
        count, size = self._chunks()
        arrays = [self._split(array, count, size) for array in arrays]

        def step(i, example, so_far):
            chunks = (array[example * count + i] for array in arrays)
            found = function(so_far, example, *chunks)
            # TensorFlow would run ten steps in parallel; this makes each wait for the last result.
            never = ops.ravel(keras.tree.flatten(found)[0])[0] < float("-inf")
            return i + 1 + ops.cast(never, "int32"), example, found

        def of_example(_, example):
            initial = keras.tree.map_structure(lambda array: array[example], begin)
            found = ops.while_loop(lambda i, *_: i < count, step, (0, example, initial))[-1]
            return found, found

        zeros = keras.tree.map_structure(lambda array: ops.zeros_like(array[0]), begin)
        return ops.scan(of_example, zeros, ops.arange(self.batch))[1]

    @property
    def fills_up(self):
        """Whether the last chunk may be padded with zeros."""
        if self.size is None:
            return False
        count, size = self._chunks()
        return not isinstance(self.n, int) or count * size != self.n

    def _chunks(self):
        """The number of chunks and their common size."""
        size = min(self.size, self.n) if isinstance(self.n, int) else self.size
        count = -(-self.n // size)
        if isinstance(self.n, int):
            # Use a few more chunks if this divides `n` evenly, which avoids a copy for padding.
            even = (c for c in range(count, count + count // 4 + 1) if self.n % c == 0)
            count = next(even, count)
            size = -(-self.n // count)
        return count, size

    def _split(self, array, count, size):
        rest, missing = ops.shape(array)[2:], count * size - self.n
        if not (isinstance(missing, int) and missing == 0):
            array = ops.pad(array, [(0, 0), (0, missing), *[(0, 0)] * len(rest)])
        return ops.reshape(array, (-1, size, *rest))
