"""The columns of a table: what they hold, and their numbers or codes."""

import collections
import datetime
import decimal
import numbers

import numpy as np

LARGEST = 1e30  # of numbers, so that float32 can compute with them
WANTED = (
    "`data` must be a pandas DataFrame, a dict of columns (num_rows,) or an array of numbers "
    "(num_rows, num_columns)"
)


def by_name(data):
    """{name: array `(num_rows,)`} of float64 numbers, or of objects if they are categories.

    Columns of an array are named by their index. Missing values are NaN or None.
    """
    if isinstance(data, (np.ndarray, list, tuple)):
        data = _columns_of_array(data)
    if not hasattr(data, "items") or hasattr(data, "to_frame"):  # a Series has items, too
        raise ValueError(f"{WANTED}. Received: {type(data).__name__}")
    counts = collections.Counter(key for key, _ in data.items())
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"`data` must have one column of each name. Received: {twice} twice")
    columns = {key: _column(key, values) for key, values in data.items()}
    lengths = {key: len(values) for key, values in columns.items()}
    if not lengths or 0 in lengths.values():
        raise ValueError(f"{WANTED}, with a row and a column at least. Received: {lengths}")
    first = next(iter(columns))
    for key, length in lengths.items():
        if length != lengths[first]:
            raise ValueError(
                f"`data[{key!r}]` must have {lengths[first]} rows, as `data[{first!r}]` has. "
                f"Received: {length}"
            )
    return columns


def mean_and_std(key, values):
    """Mean and standard deviation of the known numbers; (0, 1) if there are none."""
    _check_size(key, values)
    known = values[~np.isnan(values)]
    if not known.size:
        return 0.0, 1.0
    if known.min() == known.max():  # rounding would give them a tiny spread
        return float(known[0]), 1.0
    mean, std = float(known.mean()), float(known.std())
    step = max(float(np.spacing(np.float32(abs(mean)))), 1 / LARGEST)
    if std < step:
        raise ValueError(
            f"`data[{key!r}]` must vary by more than float32 can tell apart, steps of {step:.2g} "
            "at this size. Subtract its mean before. Received: numbers of mean "
            f"{mean:.9g} and standard deviation {std:.3g}"
        )
    return mean, std


def categories(key, values):
    """The known categories of a column, sorted."""
    try:
        found = {value for value in values.tolist() if value is not None}
        found = sorted(found, key=lambda value: (type(value).__name__, value))
    except TypeError as error:
        raise ValueError(
            f"`data[{key!r}]` must be numbers, or categories such as text. Received: values that "
            f"cannot be told apart or sorted ({error})"
        ) from error
    if not found:
        raise ValueError(f"`data[{key!r}]` must have a value in some row. Received: none")
    return found


def as_numbers(key, values):
    """Numbers of a column as float32."""
    if values.dtype != "float64":
        known = [value for value in values.tolist() if value is not None]
        if known:
            raise ValueError(
                f"`data[{key!r}]` must be numbers, as in the training data. Received: {known[0]!r}"
            )
        return np.full(len(values), np.nan, "float32")
    _check_size(key, values)
    return values.astype("float32")


def codes(key, values, known):
    """Codes of the categories of a column: their places among the `known` ones, or -1."""
    if values.dtype == "float64":
        values = np.where(np.isnan(values), None, values)
    given = next((value for value in values.tolist() if value is not None), None)
    if _is_number(given) and not any(_is_number(value) for value in known):
        raise ValueError(
            f"`data[{key!r}]` must be categories such as {known[0]!r}, as in the training data. "
            f"Received: {given!r}"
        )
    index = {value: code for code, value in enumerate(known)}
    return np.array([index.get(value, -1) for value in values.tolist()], "int32")


def _columns_of_array(data):
    try:
        array = data if isinstance(data, np.ma.MaskedArray) else np.asarray(data)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{WANTED}. Received: {error}") from error
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise ValueError(f"{WANTED}. Received: shape {array.shape}, type {array.dtype}")
    return dict(enumerate(array.T))


def _column(key, values):
    array = _as_array(values)
    if array.ndim != 1 or array.dtype.kind not in "biufUSOT":
        raise ValueError(
            f"`data[{key!r}]` must be a column (num_rows,) of numbers, or of categories such as "
            f"text. Received: shape {array.shape}, type {array.dtype}"
        )
    categorical = _is_categorical(values)
    if array.dtype.kind in "biuf" and not categorical:
        return array.astype("float64")
    found = [None if _is_missing(value) else value for value in array.tolist()]
    if not categorical:
        dates = (datetime.date, datetime.time, datetime.timedelta)
        date = next((value for value in found if isinstance(value, dates)), None)
        if date is not None:
            raise ValueError(
                f"`data[{key!r}]` must be numbers, or categories such as text. Turn dates into "
                f"numbers. Received: {date!r}"
            )
        if all(value is None or _is_number(value) for value in found):
            return np.array([np.nan if v is None else float(v) for v in found], "float64")
    return np.fromiter(found, object, len(found))


def _as_array(values):
    kind = getattr(getattr(values, "dtype", None), "kind", None)  # pandas' own types have it, too
    if kind in ("b", "i", "u", "f") and hasattr(values, "to_numpy"):
        return values.to_numpy("float64", na_value=np.nan)
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), None, values.data)
    return np.asarray(values)


def _is_categorical(values):
    return type(getattr(values, "dtype", None)).__name__ == "CategoricalDtype"


def _is_missing(value):
    if type(value).__name__ in ("NoneType", "NAType", "NaTType"):
        return True
    return _is_number(value) and value != value


def _is_number(value):
    return isinstance(value, (numbers.Real, decimal.Decimal, np.bool_))


def _check_size(key, values):
    wrong = np.abs(values) > LARGEST
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ValueError(
            f"`data[{key!r}]` must be numbers from -{LARGEST:g} to {LARGEST:g}, or NaN where "
            f"missing. Received: {values[index]} at index {index}"
        )
