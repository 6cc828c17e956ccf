"""Whether inputs are fit to be read, matter to the outputs, and are masked by their masks."""

import keras
import numpy as np

from keras_perceiver.inspection.report import Finding

NOTHING = 1e-6  # a change of the outputs below this part of their size is none
LARGEST = 100.0  # of a value that is not standardised
OFFSET = 10.0  # the mean, in standard deviations


def inputs_in_range(model, given):
    """A `Finding` for each float input.

    Args:
        model: A `Perceiver`.
        given: NumPy arrays of some examples, by name of the model's input.
    """
    findings = []
    for key, one in model.input_descriptions.items():
        for name, (_, dtype) in one.raw_specs().items():
            if not str(dtype).startswith("float") or name not in given:
                continue
            ready = getattr(one, "normalize", False) or key != name
            findings.append(_range(name, given[name], ready, type(one).__name__ == "Table"))
    return findings


def _range(name, array, ready, may_be_missing):
    title = f"range of {name}"
    finite = np.isfinite(array)
    if not finite.all() and not may_be_missing:
        where = np.flatnonzero(~finite.reshape(len(array), -1).all(axis=1))
        return Finding(
            title, False, f"not finite in {len(where)} of {len(array)} examples, first {where[0]}",
            "Clean the data; for values that are missing use a mask, or kp.Table, which reads NaN.",
        )  # fmt: skip
    values = array[finite].astype("float64")
    low, high, mean, deviation = values.min(), values.max(), values.mean(), values.std()
    told = f"from {low:.4g} to {high:.4g}, mean {mean:.4g}, deviation {deviation:.4g}"
    if low == high:
        return Finding(
            title, False, f"always {low:.4g}", "It tells nothing: look how it is loaded."
        )
    if not ready and (max(-low, high) > LARGEST or abs(mean) > OFFSET * deviation):
        return Finding(
            title, False, told,
            "Scale the values to about -1 to 1, or describe the input with normalize=True.",
        )  # fmt: skip
    return Finding(title, True, told)


def each_input_matters(model, given):
    """A `Finding` for each modality: do the outputs change if it is exchanged among examples?"""
    if len(next(iter(given.values()))) < 2:
        return [Finding("each input matters", None, "one example cannot tell")]
    before, findings = _outputs(model, given), []
    for key, one in model.input_descriptions.items():
        title = f"{key} matters"
        names = [name for name in one.raw_specs() if name in given]
        exchanged = {**given, **{name: np.roll(given[name], 1, axis=0) for name in names}}
        if all(np.array_equal(exchanged[name], given[name], equal_nan=True) for name in names):
            findings.append(Finding(title, None, "it is the same in all examples"))
            continue
        change = _change(before, _outputs(model, exchanged))
        findings.append(
            Finding(
                title,
                change > NOTHING,
                f"exchanged among examples, it changes the outputs by {100 * change:.3g} %",
                "The outputs do not depend on it: is it always masked (mask_probs, a mask of "
                "False, padding ids), or missing in all examples?",
            )  # fmt: skip
        )
    return findings


def masks_mask(model, given):
    """A `Finding` for each modality with a mask or padding."""
    findings = []
    for key, one in model.input_descriptions.items():
        if not one.masked or f"{key}_mask" not in given:
            continue
        title, mask = f"mask of {key}", given[f"{key}_mask"].astype(bool)
        if mask.all():
            findings.append(Finding(title, None, "it hides nothing in these examples"))
            continue
        change = _change(
            _outputs(model, given),
            _outputs(model, {**given, key: _scrambled(given[key], mask, one)}),
        )
        findings.append(
            Finding(
                title,
                change <= 1e-3,
                f"other values beneath it change the outputs by {100 * change:.3g} %",
                "Values beneath the mask reach their neighbours, as through a convolution or a "
                "patch that is hidden in part: set them to 0 in the data, or mask whole cells.",
            )  # fmt: skip
        )
    return findings


def _scrambled(array, mask, one):
    """The same array with other values wherever the mask is False."""
    random = np.random.default_rng(0)
    hidden = ~mask
    if one.grid is not None and hidden.shape[1] != np.prod(array.shape[1:-1]):
        hidden = _on_values(hidden, one, array.shape)
    else:
        hidden = hidden.reshape(*array.shape[: array.ndim - (array.ndim > 2)])
    if array.ndim > hidden.ndim:
        hidden = hidden[..., None]
    if array.dtype.kind in "iu":
        other = random.permutation(array.reshape(-1)).reshape(array.shape)
    else:
        spread = np.nanstd(array) or 1.0
        other = array + random.normal(size=array.shape).astype(array.dtype) * 3 * spread
    return np.where(hidden, other, array).astype(array.dtype)


def _on_values(hidden, one, shape):
    """Masked cells of a coarser grid, for the values that lie in them."""
    cells = hidden.reshape(len(hidden), *one.grid)
    for axis, (size, count) in enumerate(zip(shape[1:-1], one.grid), start=1):
        index = np.minimum(np.arange(size) * count // size, count - 1)
        cells = np.take(cells, index, axis=axis)
    return cells


def _outputs(model, given):
    names = [tensor.name for tensor in model.inputs]
    inputs = {name: given[name] for name in names}
    if not isinstance(model.input, dict):
        inputs = inputs[names[0]]
    found = keras.tree.flatten(model.predict_on_batch(inputs))
    return [np.asarray(one, "float64") for one in found]


def _change(before, after):
    """The largest change of an output, in parts of its spread or size."""
    changes = []
    for one, other in zip(before, after):
        size = max(float(np.std(one)), 1e-3 * float(np.abs(one).max()), 1e-30)
        changes.append(float(np.abs(one - other).max()) / size)
    return max(changes)
