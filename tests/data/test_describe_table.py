"""`kp.data.describe_table`: kinds of columns, missing values, codes."""

import datetime
import decimal
import pickle

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.data import describe_table
from tests.random_values import to_numpy

PATIENTS = {
    "age": [30, None, 50, 40],
    "ward": ["b", "a", None, "b"],
    "smokes": np.array([True, False, True, True]),
    "weight": np.array([60.5, np.nan, 80.5, 70.5]),
}
NUMBERS = np.array(
    [[30, 1, 60.5], [np.nan, 0, np.nan], [50, 1, 80.5], [40, 1, 70.5]], dtype="float32"
)


def test_a_dict_of_columns():
    table = describe_table(PATIENTS)
    assert table.numbers == ["age", "smokes", "weight"]
    assert table.categories == {"ward": ["a", "b"]}
    assert table.input.num_numbers == 3 and table.input.categories == (2,)
    assert table.input.column_names == ("age", "smokes", "weight", "ward")
    np.testing.assert_allclose(table.input.mean, [40, 0.75, 70.5])
    np.testing.assert_allclose(table.input.std, [(200 / 3) ** 0.5, 0.1875**0.5, (200 / 3) ** 0.5])
    taken = table(PATIENTS)
    np.testing.assert_array_equal(taken["table"], NUMBERS)
    np.testing.assert_array_equal(taken["table_categories"], [[1], [0], [-1], [1]])
    assert taken["table"].dtype == "float32" and taken["table_categories"].dtype == "int32"


def test_an_array_of_numbers():
    data = np.array([[1, 2], [3, 6], [5, np.nan]])
    table = describe_table(data, dim=5, hidden_rate=0.2, noise=0.1, masked=True)
    np.testing.assert_allclose(table.input.mean, [3, 4])
    config = table.input.get_config()
    assert (config["dim"], config["hidden_rate"], config["noise"]) == (5, 0.2, 0.1)
    assert config["masked"] and not config["may_be_missing"]
    assert config["column_names"] == ("0", "1")
    np.testing.assert_array_equal(table(data.tolist()), data.astype("float32"))


def test_few_rows_are_read_with_noise():
    def noise(rows, **options):
        return describe_table(
            np.random.default_rng(0).normal(size=(rows, 3)), **options
        ).input.noise

    assert (noise(1999), noise(2000), noise(7, noise=0.0)) == (0.3, 0.0, 0.0)


def test_only_categories_are_one_array():
    table = describe_table({"ward": ["b", "a"], "sex": np.array(["f", "m"])})
    np.testing.assert_array_equal(table({"sex": ["m", "f"], "ward": ["a", "b"]}), [[0, 1], [1, 0]])


def test_a_name_for_one_input_of_several():
    assert list(describe_table(PATIENTS, name="patient")(PATIENTS)) == [
        "patient",
        "patient_categories",
    ]
    assert list(describe_table({"ward": ["a", "b"]}, name="where")({"ward": ["a"]})) == ["where"]
    table = describe_table(PATIENTS, name="patient")
    inputs = {"patient": table.input, "label": kp.Labels(2)}
    model = kp.build_classifier(
        inputs, 2, num_latents=3, latent_dim=8, num_self_attention_heads=2, compile=False
    )
    answer = to_numpy(model({**table(PATIENTS), "label": np.eye(4, 2, dtype="float32")}))
    assert answer.shape == (4, 2) and np.isfinite(answer).all()


def test_other_data_of_the_same_columns():
    table = describe_table(PATIENTS)
    other = {
        "weight": [None, 1e4],
        "unused": [1, 2],
        "ward": ["c", "a"],  # "c" is not known
        "smokes": [None, None],
        "age": np.array([1, 2], "uint8"),
    }
    taken = table(other)
    np.testing.assert_array_equal(taken["table"], [[1, np.nan, np.nan], [2, np.nan, 1e4]])
    np.testing.assert_array_equal(taken["table_categories"], [[-1], [0]])
    nothing = {**other, "ward": np.array([np.nan, np.nan])}
    np.testing.assert_array_equal(table(nothing)["table_categories"], [[-1], [-1]])


def test_constant_columns_and_columns_of_missing_values():
    """0.1 has a tiny spread by rounding, which must not be divided by."""
    data = {"a": np.full(10, 0.1), "b": np.full(10, np.nan), "c": np.arange(10.0), "d": [None] * 10}
    table = describe_table(data)
    assert table.input.mean == (0.1, 0.0, 4.5, 0.0)
    assert table.input.std[:2] == (1.0, 1.0) and table.input.std[3] == 1.0
    assert table(data).shape == (10, 4)


def test_large_offsets_are_kept_or_refused():
    random = np.random.default_rng(0)
    table = describe_table({"a": 1e4 + 1e-2 * random.normal(size=100)})
    np.testing.assert_allclose(table.input.std, 1e-2, rtol=0.2)
    with pytest.raises(ValueError, match=r"`data\['a'\]` must vary by more than float32 can tell"):
        describe_table({"a": 1e9 + random.normal(size=100)})


def test_numbers_of_other_kinds():
    data = {
        "decimal": [decimal.Decimal("1.5"), None],
        "mixed": [True, 2.5],
        "masked": np.ma.masked_array([1.0, 2.0], [False, True]),
        "scalars": np.array([np.bool_(True), None], dtype=object),
    }
    table = describe_table(data)
    assert table.numbers == list(data)
    np.testing.assert_array_equal(table(data), [[1.5, 1, 1, 1], [np.nan, 2.5, np.nan, np.nan]])
    array = np.ma.masked_array([[1, 2], [3, 4]], [[False, True], [False, False]])
    np.testing.assert_array_equal(describe_table(array)(array), [[1, np.nan], [3, 4]])


def test_a_description_can_be_pickled():
    table = pickle.loads(pickle.dumps(describe_table(PATIENTS)))
    np.testing.assert_array_equal(table(PATIENTS)["table"], NUMBERS)
    assert table.input.categories == (2,)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(PATIENTS)
    frame["stage"] = pandas.Categorical([2, 1, 2, None], categories=[1, 2, 3])
    frame["count"] = pandas.array([1, None, 3, 4], dtype="Int64")
    frame["known"] = pandas.array([True, None, False, True], dtype="boolean")
    frame["text"] = pandas.array(["x", None, "y", "x"], dtype="string")
    table = describe_table(frame)
    assert table.numbers == ["age", "smokes", "weight", "count", "known"]
    assert table.categories == {"ward": ["a", "b"], "stage": [1, 2], "text": ["x", "y"]}
    taken = table(frame.iloc[::-1])
    further = np.array([[1, 1], [np.nan, np.nan], [3, 0], [4, 1]])
    np.testing.assert_array_equal(taken["table"], np.hstack([NUMBERS, further])[::-1])
    codes = np.array([[1, 1, 0], [0, 0, -1], [-1, 1, 1], [1, -1, 0]])
    np.testing.assert_array_equal(taken["table_categories"], codes[::-1])
    for wrong in (frame["age"], pandas.concat([frame, frame[["age"]]], axis=1)):
        with pytest.raises(ValueError, match="`data` must"):
            describe_table(wrong)
    dates = pandas.DataFrame({"day": pandas.to_datetime(["2020-01-01"])})
    with pytest.raises(ValueError, match=r"`data\['day'\]` must be"):
        describe_table(dates)
    zoned = pandas.DataFrame({"day": pandas.to_datetime(["2020-01-01"]).tz_localize("UTC")})
    with pytest.raises(ValueError, match="Turn dates into numbers"):
        describe_table(zoned)


@pytest.mark.parametrize(
    "data, message",
    [
        ({}, "a row and a column at least"),
        ({"a": []}, "a row and a column at least"),
        ({"a": [1, 2], "b": [1]}, r"`data\['b'\]` must have 2 rows, as `data\['a'\]` has.*: 1"),
        ({"a": [[1], [2]]}, r"`data\['a'\]` must be a column \(num_rows,\).*\(2, 1\)"),
        ({"a": 3}, r"`data\['a'\]` must be a column"),
        ({"a": np.ones(2, "complex64")}, r"`data\['a'\]` must be a column .* complex64"),
        ({"a": [1, np.inf]}, r"`data\['a'\]` must be numbers from -1e\+30 to 1e\+30.* index 1"),
        ({"a": [1, 1e39]}, r"`data\['a'\]` must be numbers from -1e\+30"),
        ({"a": [1e-40, 2e-40]}, r"`data\['a'\]` must vary by more"),
        ({"a": [datetime.date(2020, 1, 1)]}, "Turn dates into numbers"),
        ({"a": np.array(["2020-01-01"], "datetime64[D]")}, r"`data\['a'\]` must be a column"),
        ({"a": np.fromiter([[1], "b"], object, 2)}, r"`data\['a'\]` must be numbers, or categ"),
        (np.ones(3), r"`data` must be a pandas DataFrame.*\(3,\)"),
        (np.array([["a"]]), "`data` must be a pandas DataFrame"),
        ([[1, 2], [3]], "`data` must be a pandas DataFrame"),
        ("table.csv", "`data` must be a pandas DataFrame.*: str"),
    ],
)
def test_bad_tables(data, message):
    with pytest.raises(ValueError, match=message):
        describe_table(data)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"age": None}, r"`data` must have the columns .*without \['age'\]"),
        ({"age": ["30", "x", "y", "z"]}, r"`data\['age'\]` must be numbers.*: '30'"),
        ({"ward": [1, 2, 3, 4]}, r"`data\['ward'\]` must be categories such as 'a'.*: 1"),
        ({"weight": [1, 2, -np.inf, 4]}, r"`data\['weight'\]` must be numbers from .* index 2"),
    ],
)
def test_other_columns_than_described(change, message):
    table = describe_table(PATIENTS)
    data = {key: value for key, value in {**PATIENTS, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        table(data)


def test_unknown_options():
    with pytest.raises(TypeError, match="no argument `dims`. Did you mean `dim`"):
        describe_table(PATIENTS, dims=3)
    with pytest.raises(TypeError, match="no argument `mean`"):
        describe_table(PATIENTS, mean=3)
    with pytest.raises(ValueError, match="`name` must be a string or None"):
        describe_table(PATIENTS, name=3)
