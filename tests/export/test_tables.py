"""A served table: missing values are answered, wrong ones are refused by name."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import SIZES, Session
from tests.random_values import randomize, to_numpy

pytestmark = pytest.mark.slow

GOOD = {
    "table": np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan]], "float32"),
    "table_categories": np.array([[1, 3], [-1, -1]], "int32"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    table = kp.Table(3, (2, 4), dim=6, mean=2, std=3, hidden_rate=0.5, noise=0.5)
    model = randomize(kp.build_classifier(table, 5, **SIZES))
    path = kp.export.saved_model(model, tmp_path_factory.mktemp("served") / "table")
    return model, Session(path)


def test_missing_values_are_answered(served):
    model, session = served
    answer = session.ask("serving_default", GOOD)["classes"]
    logits = to_numpy(model(GOOD))
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(answer.argmax(-1), logits.argmax(-1))
    np.testing.assert_array_equal(session.ask("serving_default", GOOD)["classes"], answer)


@pytest.mark.parametrize(
    "name, place, value, message",
    [
        ("table", (0, 1), np.inf, "`table` must be finite numbers, or NaN where missing"),
        ("table", (1, 2), -np.inf, "`table` must be finite numbers, or NaN where missing"),
        ("table_categories", (0, 0), 2, r"`table_categories` must be .* from -1 to \[1, 3\]"),
        ("table_categories", (0, 1), 4, r"`table_categories` must be .* from -1 to \[1, 3\]"),
        ("table_categories", (1, 0), -2, r"`table_categories` must be .* from -1 to \[1, 3\]"),
    ],
)
def test_wrong_values_are_refused(served, name, place, value, message):
    wrong = GOOD[name].copy()
    wrong[place] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served[1].ask("serving_default", {**GOOD, name: wrong})


@pytest.mark.parametrize("name", sorted(GOOD))
def test_another_number_of_columns_is_refused(served, name):
    wrong = {**GOOD, name: np.zeros((2, 5), GOOD[name].dtype)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"`{name}` must have shape"):
        served[1].ask("serving_default", wrong)
