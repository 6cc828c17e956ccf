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
from keras_perceiver.layers.take_rows import take_along, take_rows


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Table(PerceiverInput):
    """Rows of a table: each column is one input, with a learned embedding of its own.

    A number x in column j is read as (x - mean_j) / std_j times a learned vector, plus the learned
    embedding of column j; a category as a learned vector plus the embedding of its column. A value
    that is missing has a learned vector in place of its own.

    Args:
        num_numbers: Number of columns of numbers; NaN is a missing number.
        categories: For each column of categories, how many there are; -1 is a missing category
            (as in the codes of pandas). The model then takes a further input
            `<name>_categories`; without columns of numbers it takes that alone.
        dim: Width of the embeddings.
        mean, std: Mean and standard deviation of each column of numbers, or one for all;
            `kp.data.describe_table` takes them from data.
        masked: Whether the model takes a further input `<name>_mask` of booleans
            `(batch, num_inputs)`, True = may be attended.
        may_be_missing: Whether the modality may be missing from some examples; the model then
            takes a further input `<name>_present` of booleans `(batch, 1)` or `(batch,)`.

    Call arguments:
        inputs: Floats of shape `(batch, num_numbers)`.
        categories: Whole numbers of shape `(batch, number of columns of categories)`.

    Returns:
        Array of shape `(batch, num_numbers + number of columns of categories, dim)`.

    Raises:
        ValueError: if there is no column, or an argument is out of range.

    Example (30 measurements, the sex and the ward of a patient):

    >>> kp.build_classifier(kp.Table(30, categories=(2, 12)), num_classes=2)

    Reference: the papers have no tables; this is Perceiver IO's section 3.1 with one input for
    each column, as in the feature tokenizer of FT-Transformer (arXiv 2106.11959).
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
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_numbers = arguments.whole_number("num_numbers", num_numbers, at_least=0)
        if not isinstance(categories, (tuple, list)):
            raise ValueError(
                "`categories` must be a tuple with the number of categories of each column. "
                f"Received: categories={categories!r}"
            )
        self.categories = tuple(
            arguments.whole_number(f"categories[{i}]", n) for i, n in enumerate(categories)
        )
        if self.num_numbers + len(self.categories) == 0:
            raise ValueError(
                "`num_numbers` or `categories` must name at least one column. Received: "
                f"num_numbers={num_numbers}, categories={categories!r}"
            )
        self.dim = arguments.whole_number("dim", dim)
        self.mean = _for_each("mean", mean, self.num_numbers)
        self.std = _for_each("std", std, self.num_numbers, above=0)
        self.hidden_rate = arguments.fraction("hidden_rate", hidden_rate)
        self.noise = arguments.number("noise", noise, at_least=0)
        self.seed_generator = keras.random.SeedGenerator()

    def raw_parts(self):
        parts = {}
        if self.num_numbers:
            parts["inputs"] = ((self.num_numbers,), "float32")
        if self.categories:
            parts["categories"] = ((len(self.categories),), "int32")
        return parts

    @property
    def num_inputs(self):
        return self.num_numbers + len(self.categories)

    @property
    def input_dim(self):
        return self.dim

    def build(self, input_shape):
        def table(length, name):
            init = keras.initializers.TruncatedNormal(stddev=1.0)
            return self.add_weight(shape=(length, self.dim), initializer=init, name=name)

        self.columns = table(self.num_inputs, "columns")
        self.missing = table(self.num_inputs, "missing")
        if self.num_numbers:
            self.scales = table(self.num_numbers, "scales")
        if self.categories:
            self.values = table(sum(self.categories), "values")

    def call(self, inputs, categories=None, indices=None, training=None):
        if self.num_numbers == 0:
            inputs, categories = None, inputs
        columns, missing, parts = *self._cast(self.columns, self.missing), []
        if inputs is not None:
            absent = self._hidden(ops.isnan(inputs), training)[..., None]
            known = (inputs - np.array(self.mean, "float32")) / np.array(self.std, "float32")
            if training and self.noise:
                known = known + self.noise * keras.random.normal(
                    ops.shape(known), seed=self.seed_generator
                )
            known = ops.cast(ops.where(absent[..., 0], 0.0, known), self.compute_dtype)
            values = known[..., None] * self._cast(self.scales)[0]
            parts.append(ops.where(absent, missing[: self.num_numbers], values))
        if categories is not None:
            rows, absent = self._rows(categories)
            absent = self._hidden(absent, training)
            values = take_rows(self._cast(self.values)[0], rows, "categories")
            parts.append(ops.where(absent[..., None], missing[self.num_numbers :], values))
        array = ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        array = array + columns
        return array if indices is None else take_along(array, indices)

    def _hidden(self, absent, training):
        """What is missing, and in training some more."""
        if not training or not self.hidden_rate:
            return absent
        drawn = keras.random.uniform(ops.shape(absent), seed=self.seed_generator)
        return ops.logical_or(absent, drawn < self.hidden_rate)

    def _cast(self, *weights):
        return [ops.cast(weight, self.compute_dtype) for weight in weights]

    def _rows(self, categories):
        """Rows of the table of all columns' values, -1 for ids that a column has not."""
        if "int" not in keras.backend.standardize_dtype(categories.dtype):
            raise ValueError(
                f"`categories` must be whole numbers (int32). Received: {categories.dtype}"
            )
        sizes = np.array(self.categories, "int32")
        known = concrete(categories)
        if known is not None and known.size and ((known < -1) | (known >= sizes)).any():
            raise ValueError(
                "`categories` must be whole numbers from -1 (missing) to one less than the number "
                f"of categories of each column, {self.categories}. Received: columns from "
                f"{known.min(axis=0).tolist()} to {known.max(axis=0).tolist()}"
            )
        absent = ops.equal(categories, -1)
        starts = np.cumsum([0, *sizes[:-1]]).astype("int32")
        good = ops.logical_and(categories >= 0, categories < sizes)
        rows = ops.where(good, categories + starts, -1)
        return ops.where(absent, 0, rows), absent

    def cost(self):
        rows = 2 * self.num_inputs + self.num_numbers + sum(self.categories)
        return PartCost(parameters=rows * self.dim)

    def places(self, random, count):
        """Columns are places without neighbours, in the order of the table."""
        indices = sample(random, self.num_inputs, count)
        vectors = numbers(self.columns)[indices] + random.normal(size=(len(indices), self.dim))
        return Places.of_cells(vectors, indices, (self.num_inputs,))

    def request_limits(self, max_growth):
        limits = super().request_limits(max_growth)
        for argument, name in self.raw_names().items():
            (shape, dtype) = self.raw_parts()[argument]
            limits[name] = RequestLimits(shape, shape, may_be_nan=dtype == "float32")
            if dtype == "int32":
                limits[name] = RequestLimits(shape, shape, below=self.categories, least=-1)
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
        }


def _for_each(name, value, count, above=None):
    """`value` as a tuple of `count` floats."""
    values = np.asarray(value, dtype=object).ravel().tolist()
    if len(values) not in (1, count):
        raise ValueError(
            f"`{name}` must be a number, or {count} of them, one for each column of numbers. "
            f"Received: {len(values)} of them"
        )
    values = [float(arguments.number(name, one, above=above)) for one in values]
    return tuple(values * count if len(values) == 1 else values)
