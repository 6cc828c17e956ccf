"""The first examples of a user's data, and how fast its batches come."""

import time

import keras
import numpy as np


class FirstBatches:
    """Reads data once: a few examples as arrays, the batch size, and the seconds of a batch.

    Args:
        data: A pair or triple of arrays `(x, y)`, `(x, y, sample_weight)`; or a pipeline of such
            batches: `tf.data.Dataset`, `keras.utils.PyDataset`, or another iterable.
        examples: How many are kept.
        batch_size: Of arrays.

    Raises:
        ValueError: if there are no targets or no examples.
    """

    def __init__(self, data, examples, batch_size):
        self.seconds = None  # of a batch, of a pipeline
        if isinstance(data, tuple):
            self.batch_size = batch_size
            parts = _parts(data)
            count = _length(parts[0])
            self.batches = -(-count // batch_size)
            self.parts = keras.tree.map_structure(lambda array: np.asarray(array)[:examples], parts)
        else:
            self._read(data, examples)
        if not _length(self.parts[0]):
            raise ValueError("`data` must have examples. Received: none")

    def _read(self, data, examples):
        if not hasattr(data, "__iter__") and not isinstance(data, keras.utils.PyDataset):
            raise ValueError(
                "`data` must be a tuple of arrays or a pipeline of batches. Received: "
                f"{type(data).__name__}"
            )
        found, count, times = [], 0, []
        is_py = isinstance(data, keras.utils.PyDataset)
        batches = iter(data[number] for number in range(len(data))) if is_py else iter(data)
        start = time.perf_counter()
        for batch in batches:
            times.append(time.perf_counter() - start)
            if count < examples:
                found.append(keras.tree.map_structure(np.asarray, _parts(batch)))
                count += _length(found[-1][0])
            if count >= examples and len(times) > 10:
                break
            start = time.perf_counter()
        if not found:
            raise ValueError("`data` must have examples. Received: an empty pipeline")
        self.batch_size = _length(found[0][0])
        self.seconds = float(np.median(times[1:])) if len(times) > 1 else None
        self.batches = len(data) if is_py else _cardinality(data)
        self.parts = keras.tree.map_structure(
            lambda *arrays: np.concatenate(arrays)[:examples], *found
        )


def _parts(batch):
    """(inputs, targets, weights or nothing) of a batch."""
    if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
        raise ValueError(
            "`data` must give pairs (inputs, targets) or triples with sample weights. Received: "
            f"{type(batch).__name__}"
        )
    return tuple(one for one in batch if one is not None)


def _length(arrays):
    return len(keras.tree.flatten(arrays)[0])


def _cardinality(data):
    """Batches of an epoch, or None if that is not known."""
    if not hasattr(data, "cardinality"):
        return len(data) if hasattr(data, "__len__") else None
    count = int(data.cardinality())
    return count if count >= 0 else None
