"""`kp.Table`: numbers, categories and what is missing, with hand-set weights."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

SMALL = {
    "num_latents": 3,
    "latent_dim": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "compile": False,
}
# Columns of all numbers of each kind: one, primes, both kinds.
KINDS = [(1, ()), (0, (3,)), (7, ()), (0, (3, 5, 2)), (5, (3, 11)), (1, (1,))]


def built(table):
    table.build((None, table.num_numbers or len(table.categories)))
    return table


def with_weights(**options):
    """Two columns of numbers, two of categories, and weights whose sums are easy to read."""
    table = built(kp.Table(2, (3, 2), dim=2, mean=(10, -1), std=(2, 4), **options))
    table.column_table.assign([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])
    table.missing_table.assign([[100, 101], [102, 103], [104, 105], [106, 107]])
    table.number_table.assign([[1, 2], [3, 4]])
    table.category_table.assign([[10, 20], [30, 40], [50, 60], [70, 80], [90, 91]])
    return table


NUMBERS = np.array([[12, np.nan], [np.nan, 7]], "float32")
CATEGORIES = np.array([[2, -1], [-1, 1]], "int32")
# (12 - 10) / 2 = 1 and (7 - -1) / 4 = 2; the second column's categories begin at the fourth row.
ANSWER = [
    [[1 + 0.1, 2 + 0.2], [102.3, 103.4], [50.5, 60.6], [106.7, 107.8]],
    [[100.1, 101.2], [6.3, 8.4], [104.5, 105.6], [90.7, 91.8]],
]


def raw_of(num_numbers, categories, batch=4, seed=0):
    """Random raw tensors of a model, some of them missing."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(batch, num_numbers)).astype("float32")
    numbers[random.random(numbers.shape) < 0.3] = np.nan
    parts = [numbers] if num_numbers else []
    if categories:
        codes = [random.integers(-1, count, batch) for count in categories]
        parts.append(np.stack(codes, axis=1).astype("int32"))
    return dict(zip(("table", "table_categories"), parts))


def test_each_column_is_its_value_and_its_embedding():
    array = with_weights()(NUMBERS, categories=CATEGORIES)
    np.testing.assert_allclose(to_numpy(array), ANSWER, rtol=1e-6)


def test_only_numbers_and_only_categories():
    both = with_weights()
    numbers = built(kp.Table(2, dim=2, mean=(10, -1), std=(2, 4)))
    categories = built(kp.Table(categories=(3, 2), dim=2))
    for table, columns in ((numbers, slice(0, 2)), (categories, slice(2, 4))):
        table.column_table.assign(both.column_table[columns])
        table.missing_table.assign(both.missing_table[columns])
    numbers.number_table.assign(both.number_table)
    categories.category_table.assign(both.category_table)
    answer = np.array(ANSWER)
    np.testing.assert_allclose(to_numpy(numbers(NUMBERS)), answer[:, :2], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(categories(CATEGORIES)), answer[:, 2:], rtol=1e-6)


def test_some_columns_by_index():
    indices = ops.convert_to_tensor(np.array([[3, 0, 3], [1, 2, 0]], "int32"))
    some = with_weights()(NUMBERS, categories=CATEGORIES, indices=indices)
    answer = np.array(ANSWER)
    wanted = [answer[0, [3, 0, 3]], answer[1, [1, 2, 0]]]
    np.testing.assert_allclose(to_numpy(some), wanted, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint32"])
def test_categories_of_any_whole_numbers(dtype):
    """250 categories before the second column: its rows are beyond what eight bits can count."""
    table = randomize(built(kp.Table(categories=(250, 7), dim=3)))
    codes = np.array([[99, 6]])
    wanted = to_numpy(table(codes.astype("int32")))
    np.testing.assert_array_equal(to_numpy(table(codes.astype(dtype))), wanted)


def test_values_are_hidden_in_training_only():
    table = with_weights(hidden_rate=0.3)
    numbers = np.full((1000, 2), [12.0, 7.0], "float32")
    categories = np.tile(np.array([[2, 1]], "int32"), (1000, 1))
    seen = to_numpy(table(numbers, categories=categories, training=False))
    np.testing.assert_allclose(seen, np.tile(seen[:1], (1000, 1, 1)))
    first, second = (
        to_numpy(table(numbers, categories=categories, training=True)) for _ in range(2)
    )
    missing = np.array([[100.1, 101.2], [102.3, 103.4], [104.5, 105.6], [106.7, 107.8]])
    hidden = np.isclose(first, missing, rtol=1e-6).all(-1)
    np.testing.assert_allclose(first[~hidden], seen[~hidden], rtol=1e-6)
    assert (np.abs(hidden.mean(axis=0) - 0.3) < 0.06).all()  # four standard errors
    together = hidden.astype(float).T @ hidden / 1000  # columns are hidden on their own
    assert np.abs(together[~np.eye(4, dtype=bool)] - 0.09).max() < 0.04
    assert np.abs(first - second).max() > 1


def test_noise_is_in_standard_deviations_and_in_training_only():
    table = kp.Table(2, dim=1, mean=(10, -1), std=(2, 4), noise=0.5)
    built(table)
    table.number_table.assign([[1], [1]])
    table.column_table.assign([[0], [0]])
    table.missing_table.assign([[100], [100]])
    numbers = np.full((2000, 2), [12.0, np.nan], "float32")
    np.testing.assert_allclose(to_numpy(table(numbers))[:, 0, 0], 1)
    noisy = to_numpy(table(numbers, training=True))[..., 0]
    assert abs(noisy[:, 0].mean() - 1) < 0.05 and abs(noisy[:, 0].std() - 0.5) < 0.05
    np.testing.assert_array_equal(noisy[:, 1], 100)  # what is missing stays missing


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("mixed_bfloat16", 1e-2)])
def test_large_offsets(dtype, tolerance):
    """Numbers of 10,000 plus or minus 0.01, as float32 holds them, lose nothing more."""
    numbers = normal(500, 1, mean=1e4, spread=1e-2)
    exact = numbers.astype("float64")
    mean, std = exact.mean(), exact.std()
    table = built(kp.Table(1, dim=1, mean=mean, std=std, dtype=dtype))
    table.number_table.assign([[1]])
    table.column_table.assign([[0]])
    found = to_numpy(ops.cast(table(numbers), "float32"))[:, 0]
    np.testing.assert_allclose(found, (exact - mean) / std, atol=tolerance)


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_large_offsets_in_a_graph(jit_compile):
    """Compilers rearrange sums of constants."""
    import tensorflow as tf

    numbers = normal(500, 1, mean=1e4, spread=1e-2)
    exact = numbers.astype("float64")
    table = built(kp.Table(1, dim=1, mean=exact.mean(), std=exact.std()))
    table.number_table.assign([[1]])
    table.column_table.assign([[0]])
    found = tf.function(lambda x: table(x), jit_compile=jit_compile)(numbers).numpy()[:, 0]
    np.testing.assert_allclose(found, (exact - exact.mean()) / exact.std(), atol=1e-6)


@pytest.mark.tensorflow
def test_float64_is_kept():
    import tensorflow as tf

    numbers = np.array([[1e9 + 1e-3]])
    table = built(kp.Table(1, dim=1, mean=1e9, std=1e-3, dtype="float64"))
    table.number_table.assign([[1]])
    table.column_table.assign([[0]])
    np.testing.assert_allclose(table(tf.constant(numbers, "float64")), [[[1]]], atol=1e-3)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "dtype, bad", [("int32", 3), ("int32", -2), ("int64", 2**32), ("uint8", 5)]
)
def test_a_category_out_of_range_is_nan_in_a_graph(dtype, bad):
    """Never another category, nor a missing one."""
    import tensorflow as tf

    table = built(kp.Table(categories=(3, 2), dim=5))
    codes = np.array([[bad, 1], [2, 1]]).astype(dtype)
    found = tf.function(lambda x: table(x))(codes).numpy()
    assert np.isnan(found[0, 0]).all()
    assert np.isfinite(found[0, 1]).all() and np.isfinite(found[1]).all()
    with pytest.raises(ValueError, match=r"`categories` must be whole numbers from -1 .*\[2, 1\]"):
        table(codes)


OPTIONS = [{}, {"hidden_rate": 0.2, "noise": 0.1}, {"dim": 5}]
LATER = (pytest.mark.slow, pytest.mark.everywhere)


@pytest.mark.parametrize(
    "num_numbers, categories, options",
    [  # all kinds with all that is random, and one of both kinds with each
        pytest.param(
            *kind, options, marks=() if options is OPTIONS[1] or kind == KINDS[4] else LATER
        )
        for kind in KINDS
        for options in OPTIONS
    ],
)
def test_costs_and_weights(num_numbers, categories, options):
    table = kp.Table(num_numbers, categories, **options)
    model = kp.build_classifier(table, 2, **SMALL)
    arguments = {"inputs": table, "outputs": kp.Classes(2), **SMALL}
    assert kp.costs(arguments).parameters == kp.costs(model).parameters == model.count_params()
    states = {v.path for v in model.variables} - {w.path for w in model.weights}
    assert len(states) == ("noise" in options)  # no random state where nothing is random
    assert not table.variables  # a description has none
    raw = raw_of(num_numbers, categories)
    assert np.isfinite(to_numpy(model(raw))).all()


@pytest.mark.parametrize("num_numbers, categories", KINDS)
def test_masked_columns_and_missing_rows_are_not_seen(num_numbers, categories):
    table = kp.Table(num_numbers, categories, dim=6, masked=True, may_be_missing=True)
    model = randomize(kp.build_classifier(table, 2, **SMALL))
    seen = np.ones((4, table.num_inputs), bool)
    seen[0] = False  # all columns of the first row
    flags = {"table_mask": seen, "table_present": np.array([True, False, True, True])}
    one, other = (raw_of(num_numbers, categories, seed=seed) for seed in (0, 1))
    mixed = {name: np.concatenate([other[name][:2], one[name][2:]]) for name in one}
    before = to_numpy(model({**one, **flags}))
    np.testing.assert_allclose(to_numpy(model({**mixed, **flags})), before, atol=1e-6)
    assert np.isfinite(before).all()
    only_flags = {**flags, "table_present": np.zeros(4, bool)}
    nothing = to_numpy(model(only_flags))
    np.testing.assert_allclose(nothing, np.tile(before[:1], (4, 1)), atol=1e-6)


def test_keras_file(tmp_path):
    names = tuple("abcdefg")
    table = kp.Table(
        5, (3, 2), mean=(1, 2, 3, 4, 5), std=2, hidden_rate=0.3, noise=0.2, column_names=names
    )
    model = kp.build_classifier(table, 2, **SMALL)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    raw = raw_of(5, (3, 2))
    np.testing.assert_allclose(to_numpy(loaded(raw)), to_numpy(model(raw)), atol=1e-6)
    (config,) = (one.get_config() for one in loaded.input_descriptions.values())
    for name in (
        "mean",
        "std",
        "categories",
        "hidden_rate",
        "noise",
        "num_numbers",
        "dim",
        "column_names",
    ):
        kept = config[name]
        assert (tuple(kept) if isinstance(kept, list) else kept) == table.get_config()[name]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kp.Table(), "`num_numbers` or `categories` must give at least one column"),
        (lambda: kp.Table(-1), "`num_numbers` must be a whole number of at least 0"),
        (lambda: kp.Table(2, 3), "`categories` must be a tuple with the number of categories"),
        (lambda: kp.Table(2, (3, 0)), r"`categories\[1\]` must be a whole number of at least 1"),
        (lambda: kp.Table(2, mean=(1, 2, 3)), "`mean` must be a number, or 2 of them.*3 of them"),
        (lambda: kp.Table(2, mean=(1, np.nan)), r"`mean\[1\]` must be a finite number"),
        (lambda: kp.Table(2, mean=1e39), "`mean` must be a finite number .* at most 1e"),
        (lambda: kp.Table(2, std=(1, 0)), r"`std\[1\]` must be a finite number and at least 1e-30"),
        (lambda: kp.Table(2, hidden_rate=1), "`hidden_rate` must be .* below 1"),
        (lambda: kp.Table(2, column_names=("a",)), "`column_names` must be a tuple of 2 texts"),
        (lambda: kp.Table(1, (3,), column_names=("a", 5)), "`column_names` must be .* 2 texts"),
        (lambda: kp.Table(1, column_names="a"), "`column_names` must be a tuple of 1 texts"),
        (lambda: kp.Table(2, noise=-0.1), "`noise` must be .* at least 0"),
        (lambda: kp.Table(3)(normal(2, 4)), r"`inputs` must have shape \(batch, 3\).*\(2, 4\)"),
        (lambda: kp.Table(3, (2,))(normal(2, 3)), r"`categories` must have shape \(batch, 1\)"),
        (lambda: kp.Table(categories=(2,))(normal(2, 1)), "`categories` must be whole numbers"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"table": np.array([[1, np.inf]], "float32")}, r"`inputs\['table'\]` must be finite"),
        ({"table": np.ones((1, 3), "float32")}, r"`inputs\['table'\]` must have shape"),
        ({"table_categories": np.array([[3, 0]])}, r"'table_categories'\]` .* -1 to \[2, 1\]"),
        ({"table_categories": np.array([[-2, 0]])}, r"'table_categories'\]` .* -1 to \[2, 1\]"),
        ({"table_categories": np.ones((1, 2))}, r"'table_categories'\]` must be whole numbers"),
    ],
)
def test_bad_values(change, message):
    model = kp.build_classifier(kp.Table(2, (3, 2), dim=6), 2, **SMALL)
    good = {"table": np.ones((1, 2), "float32"), "table_categories": np.ones((1, 2), "int32")}
    model(good)
    with pytest.raises(ValueError, match=message):
        model({**good, **change})
