"""From a table in memory to a description of it, and to what a model takes."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.inputs.table import Table


def describe_table(data, name="table", **options):
    """Looks at the columns of a table: which are numbers, which categories, and how they spread.

    Args:
        data: The training data: a pandas DataFrame, a dict of columns, each `(num_rows,)`, or an
            array of numbers `(num_rows, num_columns)`. Columns of numbers or booleans are numbers,
            in which NaN is missing; all other columns are categories, in which None and NaN are
            missing.
        name: Name of the model's input. Leave it out unless there are several inputs.
        **options: Further arguments of `kp.Table`.

    Returns:
        A `TableColumns`: its `input` is the `kp.Table` for a model, and called with data of the
        same columns it returns what the model takes.

    Raises:
        ValueError: if `data` is not such a table, or has no rows or no columns.

    Example:

    >>> table = kp.data.describe_table(train_frame)
    >>> model = kp.build_classifier(table.input, num_classes=2)
    >>> model.fit(table(train_frame), train_labels)
    >>> model.predict(table(test_frame))
    """
    return TableColumns(_columns(data), name, options)


class TableColumns:
    """The columns of a table; see `describe_table`."""

    def __init__(self, columns, name, options):
        self.name = name
        self.names = list(columns)
        self.numbers = [key for key, values in columns.items() if _are_numbers(values)]
        self.categories = {
            key: sorted({value for value in values.tolist() if not _is_missing(value)}, key=repr)
            for key, values in columns.items()
            if key not in self.numbers
        }
        for key, values in self.categories.items():
            if not values:
                raise ValueError(
                    f"`data[{key!r}]` must have a value in some row. Received: all are missing"
                )
        mean, std = [], []
        for key in self.numbers:
            values = columns[key].astype("float64")
            known = values[~np.isnan(values)]
            arguments.finite(f"data[{key!r}]", known)
            mean.append(float(known.mean()) if known.size else 0.0)
            std.append(float(known.std()) or 1.0 if known.size else 1.0)
        self.input = Table(
            len(self.numbers),
            tuple(len(values) for values in self.categories.values()),
            mean=tuple(mean) or 0.0,
            std=tuple(std) or 1.0,
            **options,
        )

    def __call__(self, data):
        """What the model takes: float32 `(num_rows, num_numbers)`, or a dict with int32 codes.

        A category that the description does not know is missing, -1.

        Raises:
            ValueError: if `data` has not the columns that were described.
        """
        columns = _columns(data)
        missing = [key for key in self.names if key not in columns]
        if missing:
            raise ValueError(
                f"`data` must have the columns {self.names}. Received: a table without {missing}"
            )
        found = {}
        if self.numbers:
            numbers = [np.asarray(columns[key], "float32") for key in self.numbers]
            found[self.name] = np.stack(numbers, axis=1)
        if self.categories:
            codes = [_codes(columns[key], values, key) for key, values in self.categories.items()]
            key = f"{self.name}_categories" if self.numbers else self.name
            found[key] = np.stack(codes, axis=1)
        return found if len(found) > 1 else next(iter(found.values()))


def _columns(data):
    """A dict from names to arrays `(num_rows,)`."""
    if isinstance(data, (np.ndarray, list, tuple)):
        data = np.asarray(data)
        if data.ndim != 2 or not _are_numbers(data):
            raise ValueError(
                "`data` must be a DataFrame, a dict of columns or an array of numbers (num_rows, "
                f"num_columns). Received: an array of shape {data.shape} and type {data.dtype}"
            )
        data = dict(enumerate(data.T))
    if not hasattr(data, "items"):
        raise ValueError(
            "`data` must be a DataFrame, a dict of columns or an array of numbers (num_rows, "
            f"num_columns). Received: {type(data).__name__}"
        )
    columns = {key: np.asarray(values) for key, values in data.items()}
    lengths = {key: values.shape for key, values in columns.items()}
    shapes = set(lengths.values())
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or next(iter(shapes)) == (0,):
        raise ValueError(
            "`data` must have columns of one shape (num_rows,), and at least one row and column. "
            f"Received: {lengths}"
        )
    return columns


def _are_numbers(values):
    return values.dtype.kind in "biuf"


def _is_missing(value):
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")


def _codes(values, known, key):
    if _are_numbers(values) and not any(_are_numbers(np.asarray(value)) for value in known):
        raise ValueError(
            f"`data[{key!r}]` must be categories such as {known[0]!r}. Received: numbers of type "
            f"{values.dtype}"
        )
    index = {value: i for i, value in enumerate(known)}
    codes = [-1 if _is_missing(v) else index.get(v, -1) for v in values.tolist()]
    return np.array(codes, "int32")
