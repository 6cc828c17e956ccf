"""From a table in memory to its description, and to the arrays that a model takes."""

import numpy as np

from keras_perceiver import arguments
from keras_perceiver.data import table_columns
from keras_perceiver.inputs.table import Table

FEW_ROWS = 2000  # that a model may learn by heart
NOISE = 0.3  # standard deviations of a column
OPTIONS = ("dim", "hidden_rate", "noise", "masked", "may_be_missing")  # of `Table`


def describe_table(data, name: str | None = None, **options):
    """Finds the kinds, the means and the categories of a table's columns.

    Columns of numbers or booleans are columns of numbers. Columns of text, and columns that pandas
    calls categorical, are columns of categories. None, NaN and pandas' NA are missing values. Turn
    numbers that stand for kinds into text, and dates into numbers, before.

    Args:
        data: The training data: a pandas DataFrame, a dict of columns `(num_rows,)`, or an array of
            numbers `(num_rows, num_columns)`.
        name: Name of the input, if the model has several. Default: "table".
        **options: `dim`, `hidden_rate`, `noise`, `masked` and `may_be_missing` of `kp.Table`. The
            default of `noise` is 0.3 if there are fewer than 2,000 rows, which a model may learn by
            heart, otherwise 0; see docs/initial_values.md.

    Returns:
        A `TableColumns`. Its `input` is the `kp.Table` for a model. Called with data of the same
        columns, in any order, it returns what the model takes.

    Raises:
        ValueError: if `data` is not such a table, or a column cannot be described.
        TypeError: if an option is unknown.

    Example:

    >>> table = kp.data.describe_table(train_frame)
    >>> model = kp.build_classifier(table.input, num_classes=2)
    >>> model.fit(table(train_frame), train_labels)
    >>> model.predict(table(test_frame))
    """
    arguments.optional_text("name", name)
    arguments.check_known("describe_table", options, OPTIONS)
    return TableColumns(table_columns.by_name(data), name, options)


class TableColumns:
    """The columns of a table, as `describe_table` finds them.

    Args:
        columns: {name: array `(num_rows,)`} as `table_columns.by_name` gives it.
        name: Name of the model's input, or None if it is the only one.
        options: Further arguments of `Table`.

    Attributes:
        numbers: Names of the columns of numbers, in the order in which the model takes them.
        categories: {name of a column: its categories}, in the order of their codes.
        input: The `Table`.
    """

    def __init__(self, columns, name, options):
        self.name = name
        self.numbers = [key for key, values in columns.items() if values.dtype == "float64"]
        self.categories = {
            key: table_columns.categories(key, values)
            for key, values in columns.items()
            if key not in self.numbers
        }
        if self.numbers and len(columns[self.numbers[0]]) < FEW_ROWS:
            options = {"noise": NOISE, **options}
        spreads = [table_columns.mean_and_std(key, columns[key]) for key in self.numbers]
        self.input = Table(
            len(self.numbers),
            tuple(len(values) for values in self.categories.values()),
            mean=tuple(mean for mean, _ in spreads),
            std=tuple(std for _, std in spreads),
            column_names=tuple(str(key) for key in (*self.numbers, *self.categories)),
            **options,
        )

    def __call__(self, data):
        """What the model takes, from data of the same columns; other columns are left out.

        Args:
            data: As `describe_table` takes it.

        Returns:
            float32 `(num_rows, number of columns of numbers)`, or int32 codes `(num_rows, number
            of columns of categories)`. A dict of both, by the names of the model's inputs, if there
            are both or the input was given a name. A category that was not in the training data is
            missing, -1.

        Raises:
            ValueError: if `data` lacks a column, or a column has values of another kind.
        """
        columns = table_columns.by_name(data)
        missing = [key for key in (*self.numbers, *self.categories) if key not in columns]
        if missing:
            raise ValueError(
                f"`data` must have the columns {[*self.numbers, *self.categories]}. Received: data "
                f"without {missing}"
            )
        parts = []
        if self.numbers:
            found = [table_columns.as_numbers(key, columns[key]) for key in self.numbers]
            parts.append(np.stack(found, axis=1))
        if self.categories:
            found = [table_columns.codes(k, columns[k], v) for k, v in self.categories.items()]
            parts.append(np.stack(found, axis=1))
        if len(parts) == 1 and self.name is None:
            return parts[0]
        name = "table" if self.name is None else self.name
        return dict(zip((name, f"{name}_categories"), parts))
