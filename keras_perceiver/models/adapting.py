"""Measures the statistics by which a model standardises its inputs."""

import operator

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.standardization import Moments

MOST_BATCHES = 100  # of a pipeline
MOST_EXAMPLES = 10_000  # of arrays in memory, evenly spaced
AT_A_TIME = 256  # examples


def adapt(model, data, batches=MOST_BATCHES):
    """See `Perceiver.adapt`."""
    arguments.whole_number("batches", batches)
    layers = _layers(model)
    if not layers:
        raise ValueError(
            "`adapt` needs an input with normalize=True, such as kp.Array(shape, normalize=True). "
            f"Received: a model without, of the inputs {sorted(model.input_descriptions)}"
        )
    parts = _parts(data, batches)
    if parts is None:
        raise ValueError(
            "`data` must be the model's inputs as arrays, or a tf.data.Dataset or a "
            f"keras.utils.PyDataset of batches. Received: {type(data).__name__}"
        )
    _set(layers, _measured(model, layers, parts))


def adapt_before_fit(model, x):
    """Measures what has not been measured yet and is not frozen, if `x` can be read twice.

    An input of which `x` has no example stays as it is: it may be missing from all of them, and
    what is wrong with its name or shape, `fit` says. A model that was trained on what can be read
    only once stays as it is, too: its weights have learned raw values.
    """
    layers = {
        key: layer
        for key, layer in _layers(model).items()
        if layer.trainable and not layer.adapted and not layer.left_raw
    }
    parts = _parts(x, MOST_BATCHES) if layers else None
    if parts is None:
        for layer in layers.values():
            layer.left_raw = True
        return
    moments = _measured(model, layers, parts)
    _set({key: layer for key, layer in layers.items() if moments[key].channels}, moments)


def _layers(model):
    """The `Standardization` of each input that has one, by name."""
    described = model.input_descriptions.items()
    return {key: one.standardization for key, one in described if getattr(one, "normalize", False)}


def _measured(model, layers, parts):
    """`Moments` of each input that has one of the layers, by name."""
    moments = {key: Moments() for key in layers}
    for inputs in parts:
        for key in layers:
            array = _present(inputs if isinstance(inputs, dict) else {key: inputs}, key)
            if array is not None and len(array):
                before_stem = model.input_descriptions[key].before_stem
                moments[key].add(ops.convert_to_numpy(before_stem(array)))
    return moments


def _set(layers, moments):
    for key in layers:
        moments[key].mean_and_std()  # raises before any layer is changed
    for key, layer in layers.items():
        layer.adapt(moments[key])


def _present(inputs, key):
    """The raw array of an input, of the examples that have it."""
    array, present = inputs.get(key), inputs.get(f"{key}_present")
    if array is None or present is None:
        return array
    present = np.asarray(ops.convert_to_numpy(present), bool).reshape(-1)
    return ops.convert_to_numpy(array)[present]


def _parts(data, batches):
    """An iterable of the inputs of some examples each, or None for what is of another type."""
    if hasattr(data, "element_spec") and hasattr(data, "take"):
        return (_inputs_of(element) for element in data.take(batches))
    if isinstance(data, keras.utils.PyDataset):
        count = batches if data.num_batches is None else min(batches, data.num_batches)
        return (_inputs_of(data[index]) for index in range(count))
    arrays = keras.tree.flatten(data)
    if not arrays or not all(hasattr(array, "shape") and len(array.shape) for array in arrays):
        return None
    return _slices(data, len(arrays[0]))


def _inputs_of(element):
    return element[0] if isinstance(element, (tuple, list)) else element


def _slices(data, count):
    step = -(-count // MOST_EXAMPLES)
    for start in range(0, count, step * AT_A_TIME):
        rows = slice(start, start + step * AT_A_TIME, step)
        yield keras.tree.map_structure(operator.itemgetter(rows), data)
