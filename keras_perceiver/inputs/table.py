"""Rows of a table."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.request_limits import RequestLimits
from keras_perceiver.layers.concrete import concrete
from keras_perceiver.layers.local_kernels import numbers
from keras_perceiver.layers.part_cost import PartCost
from keras_perceiver.layers.places import Places, sample
from keras_perceiver.layers.precision import wide
from keras_perceiver.layers.take_rows import take_along, take_rows


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Table(PerceiverInput):
    """Rows of a table: each column is one input, with a learned embedding of its own.

    A number x of column j becomes (x - mean_j) / std_j times a learned vector of the column. A
    category becomes a learned vector of that category. A missing value becomes a learned vector of
    its column. To each, the embedding of its column is added.

    Numbers enter a model as float32, which has about seven digits. A column such as 10,000 plus or
    minus 0.01 keeps only steps of 0.001: subtract the offset in float64 before.

    Args:
        num_numbers: Number of columns of numbers. NaN is a missing number.
        categories: How many categories each column of categories has. -1 is a missing category,
            as in the codes of pandas. With columns of both kinds, the model takes the numbers as
            `<name>` and the categories as `<name>_categories`; with one kind, as `<name>`.
        dim: Width of the embeddings.
        mean, std: Mean and standard deviation of each column of numbers, or one for all.
            `kp.data.describe_table` takes them from data.
        hidden_rate: Share of the values that are hidden at random in training, as if missing.
        noise: Standard deviation of the Gaussian noise that is added to standardised numbers in
            training. On several devices, what is hidden and the noise differ from one device's.
        column_names: Names of the columns, for pictures: first those of numbers, then those of
            categories. `kp.data.describe_table` takes them from data. Default: none.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Floats of shape `(batch, num_numbers)`; the categories if there are no numbers.
        categories: Whole numbers of shape `(batch, len(categories))`. In a graph, a category out
            of range gives NaN.
        indices: Optional whole numbers `(batch, n)`: only these columns, numbers before categories.

    Returns:
        Array of shape `(batch, num_numbers + len(categories), dim)`.

    Raises:
        ValueError: if there is no column, a known category is out of range, or an argument is.

    Example (30 measurements, the sex and the ward of a patient):

    >>> Table(30, categories=(2, 12))
    >>> Table(2, categories=(12,), column_names=("age", "weight", "ward"))

    Reference: FT-Transformer (arXiv 2106.11959), section 3.3: its feature tokenizer.
    """

    kind = "table"

    def __init__(
        self,
        num_numbers=0,
        categories=(),
        dim=64,
        mean=0.0,
        std=1.0,
        hidden_rate=0.0,
        noise=0.0,
        column_names=None,
        **kwargs,
    ):
        kwargs.setdefault("autocast", False)  # half precision is too coarse for raw numbers
        super().__init__(**kwargs)
        self.num_numbers = arguments.whole_number("num_numbers", num_numbers, at_least=0)
        self.categories = _category_counts(categories)
        if self.num_inputs == 0:
            raise ValueError(
                "`num_numbers` or `categories` must give at least one column. Received: "
                f"num_numbers={num_numbers}, categories={categories!r}"
            )
        self.dim = arguments.whole_number("dim", dim)
        large, small = 1e30, 1e-30  # float32 computes with these
        self.mean = arguments.number_for_each(
            "mean", mean, self.num_numbers, at_least=-large, at_most=large
        )
        self.std = arguments.number_for_each(
            "std", std, self.num_numbers, at_least=small, at_most=large
        )
        self.hidden_rate = arguments.fraction("hidden_rate", hidden_rate)
        self.noise = arguments.number("noise", noise, at_least=0, at_most=large)
        self.column_names = _names(column_names, self.num_inputs)

    def raw_parts(self):
        parts = []
        if self.num_numbers:
            parts.append(((self.num_numbers,), "float32"))
        if self.categories:
            parts.append(((len(self.categories),), "int32"))
        return dict(zip(("inputs", "categories"), parts))

    @property
    def num_inputs(self):
        return self.num_numbers + len(self.categories)

    @property
    def input_dim(self):
        return self.dim

    def build(self, input_shape):
        self.column_table = self._add_table("column_table", self.num_inputs)
        self.missing_table = self._add_table("missing_table", self.num_inputs)
        if self.num_numbers:
            self.number_table = self._add_table("number_table", self.num_numbers)
        if self.categories:
            self.category_table = self._add_table("category_table", sum(self.categories))
        if self.hidden_rate or self.noise:  # otherwise the model has no random state
            self.seed_generator = keras.random.SeedGenerator()

    def _add_table(self, name, length):
        initializer = keras.initializers.TruncatedNormal(stddev=1.0)
        return self.add_weight(shape=(length, self.dim), initializer=initializer, name=name)

    def call(self, inputs, categories=None, indices=None, training=None):
        missing, parts = ops.cast(self.missing_table, self.compute_dtype), []
        if self.num_numbers:
            vectors, absent = self._read_numbers(inputs, training)
            absent = self._hide(absent, training)[..., None]
            parts.append(ops.where(absent, missing[: self.num_numbers], vectors))
        if self.categories:
            vectors, absent = self._read_categories(categories if self.num_numbers else inputs)
            absent = self._hide(absent, training)[..., None]
            parts.append(ops.where(absent, missing[self.num_numbers :], vectors))
        array = ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        array = array + ops.cast(self.column_table, self.compute_dtype)
        return array if indices is None else take_along(array, indices)

    def _read_numbers(self, inputs, training):
        """Vectors of numbers `(batch, num_numbers, dim)`, and where a number is missing."""
        _check_columns("inputs", inputs, self.num_numbers)
        absent = ops.isnan(wide(inputs))
        standardized = self._standardized(wide(inputs))
        if training and self.noise:
            noise = keras.random.normal(ops.shape(standardized), seed=self.seed_generator)
            standardized = standardized + self.noise * ops.cast(noise, standardized.dtype)
        standardized = ops.where(absent, ops.zeros_like(standardized), standardized)
        standardized = ops.cast(standardized, self.compute_dtype)[..., None]
        return standardized * ops.cast(self.number_table, self.compute_dtype), absent

    def _standardized(self, inputs):
        # The mean that is subtracted is a float32 number, so that the difference is exact for
        # numbers near it. What this mean is off is subtracted after the division.
        mean, std = np.array(self.mean), np.array(self.std)
        near = mean.astype("float32").astype("float64")
        near, rest, std = (
            ops.convert_to_tensor(array, inputs.dtype) for array in (near, (mean - near) / std, std)
        )
        return (inputs - near) / std - rest

    def _read_categories(self, categories):
        """Vectors `(batch, len(categories), dim)`, and where a category is missing."""
        _check_columns("categories", categories, len(self.categories))
        dtype = keras.backend.standardize_dtype(categories.dtype)
        if "int" not in dtype:
            raise ValueError(f"`categories` must be whole numbers (int32). Received: {dtype}")
        self._check_known(concrete(categories))
        categories = ops.cast(categories, "int64" if "int64" in dtype else "int32")
        sizes = np.array(self.categories)
        starts, sizes = (
            ops.convert_to_tensor(array, categories.dtype)
            for array in (np.cumsum(sizes) - sizes, sizes)
        )
        absent = ops.equal(categories, -1)
        inside = ops.logical_and(categories >= 0, categories < sizes)
        rows = ops.where(inside, categories + starts, ops.where(absent, 0, -1))
        table = ops.cast(self.category_table, self.compute_dtype)
        return take_rows(table, rows, "categories"), absent

    def _check_known(self, categories):
        if categories is None or not categories.size:
            return
        wide_categories = categories.astype("int64")
        if ((wide_categories < -1) | (wide_categories >= self.categories)).any():
            most = [count - 1 for count in self.categories]
            raise ValueError(
                f"`categories` must be whole numbers from -1 (missing) to {most}, for each column. "
                f"Received: from {categories.min(axis=0).tolist()} to "
                f"{categories.max(axis=0).tolist()}"
            )

    def _hide(self, absent, training):
        """Where a value is missing, and in training, where it is hidden."""
        if not training or not self.hidden_rate:
            return absent
        drawn = keras.random.uniform(ops.shape(absent), seed=self.seed_generator)
        return ops.logical_or(absent, drawn < self.hidden_rate)

    def cost(self):
        rows = 2 * self.num_inputs + self.num_numbers + sum(self.categories)
        return PartCost(parameters=rows * self.dim)

    def places(self, random, count):
        """Columns are places, in the order of the table."""
        indices = sample(random, self.num_inputs, count)
        content = random.normal(size=(len(indices), self.dim))
        return Places.of_cells(
            numbers(self.column_table)[indices] + content, indices, (self.num_inputs,)
        )

    def request_limits(self, max_growth):
        limits = {
            name: RequestLimits(shape, shape) for name, (shape, _) in self.raw_specs().items()
        }
        names = self.raw_names()
        if self.num_numbers:
            limits[names["inputs"]] = limits[names["inputs"]]._replace(may_be_nan=True)
        if self.categories:
            name = names["categories" if self.num_numbers else "inputs"]
            limits[name] = limits[name]._replace(below=self.categories, least=-1)
        return limits

    def get_config(self):
        return {
            **super().get_config(),
            "num_numbers": self.num_numbers,
            "categories": self.categories,
            "dim": self.dim,
            "mean": self.mean,
            "std": self.std,
            "hidden_rate": self.hidden_rate,
            "noise": self.noise,
            "column_names": self.column_names,
        }


def _names(given, count):
    if given is None:
        return None
    texts = isinstance(given, (tuple, list)) and all(isinstance(one, str) for one in given)
    if not texts or len(given) != count:
        raise ValueError(
            f"`column_names` must be a tuple of {count} texts, one for each column. Received: "
            f"column_names={given!r}"
        )
    return tuple(given)


def _category_counts(categories):
    if not isinstance(categories, (tuple, list)):
        raise ValueError(
            "`categories` must be a tuple with the number of categories of each column. "
            f"Received: categories={categories!r}"
        )
    return tuple(
        arguments.whole_number(f"categories[{i}]", count) for i, count in enumerate(categories)
    )


def _check_columns(name, array, count):
    if array is None or len(array.shape) != 2 or array.shape[1] not in (None, count):
        received = None if array is None else f"shape {tuple(array.shape)}"
        raise ValueError(f"`{name}` must have shape (batch, {count}). Received: {received}")
