"""Pads points, sets and series of different lengths to one array with a mask."""

import numpy as np

from keras_perceiver import arguments


def pad(examples, length: int | None = None):
    """Pads examples of different lengths with zeros to one array, and returns it with a mask.

    Args:
        examples: A list of arrays `(n, ...)`: points `(n, num_axes)`, entities
            `(n, num_features)`, series `(n, channels)` or token ids `(n,)`. All but the first axis
            must agree.
        length: Length of the result. Default: the length of the longest example.

    Returns:
        A pair: an array `(num_examples, length, ...)` of the common dtype of the examples, and
        booleans `(num_examples, length)`, False at padding. A model takes them as `<name>` and, if
        its input is described with `masked=True`, `<name>_mask`.

    Raises:
        ValueError: if there are no examples, or if an example is a scalar, is longer than `length`,
            differs from the first in the other axes, or does not hold numbers.

    Example:

    >>> points, mask = kp.data.pad([cloud_of_5, cloud_of_3])  # (5, 3) and (3, 3)
    >>> points.shape, mask.sum(axis=1)
    ((2, 5, 3), array([5, 3]))
    >>> model = kp.build_classifier(kp.Points(masked=True), 10)
    >>> model.fit({"points": points, "points_mask": mask}, labels)
    """
    arguments.optional_whole_number("length", length)
    if isinstance(examples, np.ndarray) and examples.dtype != object:
        examples = list(examples)
    if not isinstance(examples, (list, tuple, np.ndarray)) or len(examples) == 0:
        raise ValueError(
            "`examples` must be a list of one or more arrays. Received: "
            f"examples of type {type(examples).__name__}"
        )
    arrays = [np.asarray(example) for example in examples]
    for i, array in enumerate(arrays):
        if array.ndim == 0 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"`examples[{i}]` must be an array of numbers with at least one axis. Received: "
                f"shape {array.shape}, type {array.dtype}"
            )
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"`examples[{i}]` must have shape (any length, "
                f"{', '.join(map(str, arrays[0].shape[1:]))}), as the first has. Received: shape "
                f"{array.shape}"
            )
    longest = max(len(array) for array in arrays)
    length = max(longest, 1) if length is None else length
    if longest > length:
        raise ValueError(
            f"`length` must be at least that of the longest example, {longest}. Received: "
            f"length={length}"
        )
    padded = np.zeros((len(arrays), length, *arrays[0].shape[1:]), np.result_type(*arrays))
    mask = np.zeros((len(arrays), length), bool)
    for i, array in enumerate(arrays):
        padded[i, : len(array)] = array
        mask[i, : len(array)] = True
    return padded, mask
