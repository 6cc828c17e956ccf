"""Batches of inputs, and maybe targets, as arrays by name."""

import numpy as np
import tensorflow as tf

from keras_perceiver.export.request_limits import request_checks

BATCH = 32  # examples of arrays taken at a time
_NO_LIMIT = 2**30


class LabelledBatches:
    """Iterates over `(inputs, targets, weights)`: a dict of arrays, and two structures or None.

    Args:
        name: Name of the argument, for errors.
        data: A `tf.data.Dataset` of batches, which are inputs, `(inputs, targets)` or
            `(inputs, targets, weights)`; or arrays of all examples in one of these forms.
        model: The `Perceiver` that takes the inputs.

    Raises:
        ValueError: if `data` is neither, or, while iterating, if the model does not take a batch.

    Example:

    >>> for inputs, targets, weights in LabelledBatches("validation", test, model):
    ...     print(inputs["image"].shape)
    """

    def __init__(self, name, data, model):
        self.name = name
        if not isinstance(data, tf.data.Dataset):
            data = self._in_batches(data)
        self.data = data
        specs = {tensor.name: tensor for tensor in model.inputs}
        self.checks = request_checks(specs, model, max_batch=_NO_LIMIT, max_growth=_NO_LIMIT)
        self.by_name = isinstance(model.input, dict)

    @property
    def is_endless(self):
        return self.data.cardinality() == tf.data.INFINITE_CARDINALITY

    def __iter__(self):
        for batch in self.data.as_numpy_iterator():
            parts = batch if isinstance(batch, tuple) else (batch,)
            if not 1 <= len(parts) <= 3:
                raise self._wrong(f"batches of {len(parts)} parts")
            inputs, targets, weights = (*parts, None, None)[:3]
            yield self._checked(inputs), targets, weights

    def _in_batches(self, arrays):
        if arrays is None or isinstance(arrays, (str, int, float)) or callable(arrays):
            raise self._wrong(repr(arrays))
        try:
            data = tf.data.Dataset.from_tensor_slices(arrays)
        except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise self._wrong(f"{type(arrays).__name__} ({str(error)[:200]})") from error
        return data.batch(BATCH)

    def _wrong(self, received):
        return ValueError(
            f"`{self.name}` must be a tf.data.Dataset of batches, or arrays: inputs, (inputs, "
            f"targets) or (inputs, targets, weights). Received: {received}"
        )

    def _checked(self, inputs):
        """{name of an input: array} of one batch."""
        if not self.by_name and not isinstance(inputs, dict):
            inputs = {next(iter(self.checks)): inputs}
        if not isinstance(inputs, dict) or not set(self.checks) <= set(inputs):
            received = sorted(inputs) if isinstance(inputs, dict) else type(inputs).__name__
            raise ValueError(
                f"`{self.name}` must have the model's inputs by name, {sorted(self.checks)}. "
                f"Received: {received}"
            )
        arrays = {key: self._array(key, inputs[key], check) for key, check in self.checks.items()}
        counts = {key: len(array) for key, array in arrays.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(
                f"`{self.name}` must have as many examples of each input. Received: {counts}"
            )
        return arrays

    def _array(self, key, value, check):
        array = np.asarray(value)
        if not np.can_cast(array.dtype, check.dtype, "same_kind"):
            raise ValueError(
                f"`{self.name}` must have {check.dtype} for the input '{key}'. Received: "
                f"{array.dtype}"
            )
        array = array.astype(check.dtype)
        try:
            check(tf.constant(array))
        except tf.errors.InvalidArgumentError as error:
            reason = error.message.replace("\n", " ").strip()
            raise ValueError(
                f"`{self.name}` must have inputs that the model takes: {reason} (array of shape "
                f"{array.shape})"
            ) from error
        return array
