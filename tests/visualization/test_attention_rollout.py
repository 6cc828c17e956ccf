import numpy as np
import pytest

from keras_perceiver.visualization import attention_rollout


def softmax(scores):
    weights = np.exp(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_one_layer_by_hand():
    # Two heads: row 0 attends to column 1, row 1 to both columns and to column 0.
    scores = np.array([[[[0, 1], [0.5, 0.5]], [[0, 1], [1, 0]]]])
    np.testing.assert_allclose(attention_rollout([scores]), [[[0.5, 0.5], [0.375, 0.625]]])


def test_layers_are_applied_in_their_order():
    to_next = np.array([[[[0, 1, 0], [0, 0, 1], [1, 0, 0]]]], float)  # row i attends to i + 1
    all_to_first = np.array([[[[1, 0, 0], [1, 0, 0], [1, 0, 0]]]], float)
    # Row 0 after both layers: half of row 0 before the second, half of the row it attends to.
    first_then_next = attention_rollout([all_to_first, to_next])[0]
    np.testing.assert_allclose(first_then_next[0], [0.5 + 0.25, 0.25, 0])
    next_then_first = attention_rollout([to_next, all_to_first])[0]
    np.testing.assert_allclose(next_then_first[0], [0.5, 0.5, 0])


def test_rows_are_shares():
    rng = np.random.default_rng(0)
    scores = [softmax(rng.normal(size=(2, 3, 7, 7))) for _ in range(5)]
    rollout = attention_rollout(scores)
    assert rollout.shape == (2, 7, 7)
    np.testing.assert_allclose(rollout.sum(axis=-1), 1, rtol=1e-6)
    wanted = np.eye(7)
    for layer in scores:
        wanted = (layer[1].mean(axis=0) + np.eye(7)) / 2 @ wanted
    np.testing.assert_allclose(rollout[1], wanted, rtol=1e-5)


@pytest.mark.parametrize(
    "scores, message",
    [
        ([], r"at least one layer. Received: \[\]"),
        ([np.ones((2, 7, 7))], r"`scores` must be a list of arrays.*\(2, 7, 7\)"),
        ([np.ones((2, 3, 7, 5))], r"`scores` must be a list of arrays.*\(2, 3, 7, 5\)"),
    ],
)
def test_bad_scores(scores, message):
    with pytest.raises(ValueError, match=message):
        attention_rollout(scores)
