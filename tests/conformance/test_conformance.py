"""What holds for every layer and every builder, run over the rows of `rows.py`."""

import json

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.conformance.rows import BATCH, LAYER_ROWS, ROWS
from tests.random_values import to_numpy

# A constant added to all keys cancels in the softmax, so no gradient can reach these.
NEVER_REACHED = "key/bias"
PACKAGE = "keras_perceiver."


def each(rows, slow=lambda row: row.slow):
    return pytest.mark.parametrize(
        "row",
        [pytest.param(row, id=row.name, marks=[pytest.mark.slow] * slow(row)) for row in rows],
    )


def assert_equal(found, expected, **tolerance):
    tolerance = tolerance or {"rtol": 1e-5, "atol": 1e-5}
    keras.tree.assert_same_structure(found, expected)
    for have, want in zip(keras.tree.flatten(to_numpy(found)), keras.tree.flatten(expected)):
        assert have.shape == want.shape
        np.testing.assert_allclose(have, want, **tolerance)


def difference(found, expected):
    pairs = zip(keras.tree.flatten(to_numpy(found)), keras.tree.flatten(expected))
    return max(np.abs(np.float64(have) - want).max() for have, want in pairs)


def as_json(config):
    return json.loads(json.dumps(config))


def weights_of(row, made):
    return [(weight.path, tuple(weight.shape)) for weight in row.as_model(made).weights]


@each(ROWS)
def test_config_round_trip(row):
    made = row.make()
    config = as_json(made.get_config())
    copies = [
        type(made).from_config(made.get_config()),
        keras.saving.deserialize_keras_object(as_json(keras.saving.serialize_keras_object(made))),
    ]
    for copy in copies:
        assert as_json(copy.get_config()) == config
        assert weights_of(row, copy) == weights_of(row, made)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # never trained
@each(ROWS)
def test_keras_file(row, tmp_path):
    row.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_equal(loaded(row.feed(row.data())), row.outputs)


EXPORTED = (  # before each commit, since each takes a second
    "separable_cross_attention",
    "separable_query_attention",
    "latent_transformer",
    "fourier_points",
    "common_width",
    "classifier_of_sets",
)


@pytest.mark.tensorflow
@each(ROWS, slow=lambda row: row.name not in EXPORTED)
def test_saved_model_with_another_batch_size(row, tmp_path):
    import tensorflow as tf

    row.model.export(tmp_path / "1", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "1")
    fewer = keras.tree.map_structure(lambda array: array[: BATCH - 1], row.feed(row.data()))
    expected = keras.tree.map_structure(lambda array: array[: BATCH - 1], row.outputs)
    assert_equal(loaded.serve(fewer), expected)


@pytest.mark.parametrize("dtype, tolerance", [("mixed_float16", 0.01), ("mixed_bfloat16", 0.08)])
@each(ROWS)
def test_mixed_precision(row, dtype, tolerance):
    model = row.as_model(row.make(dtype=dtype))
    assert {weight.dtype for weight in model.trainable_weights} <= {"float32"}
    model.set_weights(row.model.get_weights())
    outputs = keras.tree.map_structure(
        lambda array: to_numpy(keras.ops.cast(array, "float32")), model(row.feed(row.data()))
    )
    largest = max(np.abs(array).max() for array in keras.tree.flatten(row.outputs))
    assert_equal(outputs, row.outputs, rtol=0, atol=tolerance * max(1.0, largest))
    assert difference(outputs, row.outputs) > 0  # else nothing ran in half precision


@each(ROWS)
def test_compiled_equals_eager(row):
    assert_equal(row.model.predict_on_batch(row.feed(row.data())), row.outputs)


@each(LAYER_ROWS)
def test_lengths_unknown_when_built(row):
    model = row.as_model(row.make(), known_lengths=False)
    model.set_weights(row.model.get_weights())
    assert_equal(model.predict_on_batch(row.feed(row.data())), row.outputs, rtol=1e-4, atol=2e-5)


@pytest.mark.tensorflow
@each([row for row in ROWS if row.has_weights])
def test_a_gradient_reaches_every_weight(row):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        outputs = keras.tree.flatten(row.model(row.feed(row.data())))
        loss = sum(tf.reduce_sum(tf.sin(7.0 * array)) for array in outputs)  # any uneven function
    weights = row.model.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    untouched = [
        weight.path
        for weight, gradient in zip(weights, gradients)
        if gradient is None or np.abs(tf.convert_to_tensor(gradient)).max() < 1e-5
    ]
    assert weights
    assert [path for path in untouched if not path.endswith(NEVER_REACHED)] == []


@each([row for row in ROWS if row.reads_inputs])
def test_outputs_depend_on_the_inputs(row):
    assert difference(row.model(row.feed(row.data(seed=1))), row.outputs) > 1e-3


@each(ROWS)
def test_examples_of_a_batch_do_not_mix(row):
    alone = keras.tree.map_structure(lambda array: array[1:2], row.feed(row.data()))
    expected = keras.tree.map_structure(lambda array: array[1:2], row.outputs)
    assert_equal(row.model(alone), expected)


@each([row for row in ROWS if row.has_weights])
def test_training_lowers_the_loss(row):
    model = row.as_model(row.make())  # one of its own, as training changes it
    if not model.compiled:
        model.compile(keras.optimizers.SGD(0.01), "mse")
    model.run_eagerly = True  # tracing a training step takes far longer than running it

    def target(loss, output):
        if isinstance(loss, keras.losses.SparseCategoricalCrossentropy):
            return np.zeros(output.shape[:-1], "int32")
        return np.ones(output.shape, "float32")  # not zeros, where some heads start

    if isinstance(model.loss, dict):
        targets = {name: target(model.loss[name], row.outputs[name]) for name in model.loss}
    else:
        targets = keras.tree.map_structure(lambda array: target(model.loss, array), row.outputs)
    feed = row.feed(row.data())
    first, second = (
        model.train_on_batch(feed, targets, return_dict=True)["loss"] for _ in range(2)
    )
    assert second < first


@each([row for row in ROWS if row.order_free])
def test_order_of_the_inputs_is_free(row):
    data = row.data()
    data[row.order_free] = data[row.order_free][:, ::-1]
    assert_equal(row.model(row.feed(data)), row.outputs)


@each([row for row in ROWS if row.order_kept])
def test_order_of_the_inputs_is_kept(row):
    data = row.data()
    data[row.order_kept] = data[row.order_kept][:, ::-1]
    assert_equal(row.model(row.feed(data)), row.outputs[:, ::-1])


@each([row for row in ROWS if row.mask])
def test_padding_is_not_seen(row):
    data, garbage = row.data(), row.data(seed=1)
    visible = np.arange(data[row.mask].shape[1])[None] < np.array([[2], [1], [2]])
    everywhere = visible.reshape(visible.shape + (1,) * (data[row.mask].ndim - 2))
    other = {**data, row.mask: np.where(everywhere, data[row.mask], garbage[row.mask])}
    found, expected = row.call_with_mask(other, visible), row.call_with_mask(data, visible)
    if found.shape[:2] == visible.shape:  # one output for each vector: those of the padding go
        found, expected = found[visible], expected[visible]
    assert_equal(found, expected)
    assert difference(row.outputs, row.call_with_mask(data, np.ones_like(visible))) < 1e-5


@each([row for row in ROWS if row.mask and row.mask == row.order_free])
def test_padding_equals_a_shorter_input(row):
    data = row.data()
    visible = np.arange(data[row.mask].shape[1])[None] < np.full((BATCH, 1), 2)
    short = {**data, row.mask: data[row.mask][:, :2]}
    expected = row.call_with_mask(short, visible[:, :2])
    assert_equal(row.call_with_mask(data, visible), expected)


@pytest.mark.slow
def test_every_layer_and_every_builder_has_a_row():
    made = {type(layer) for row in ROWS for layer in row.model._flatten_layers()}
    ours = {cls for cls in subclasses(keras.layers.Layer) if cls.__module__.startswith(PACKAGE)}
    # Preparations, which other tests may have imported, take raw data: tests/preparation.
    ours = {cls for cls in ours if not cls.__module__.startswith(f"{PACKAGE}preparation.")}
    of_the_package = {cls for cls in ours if not ours & subclasses(cls)}  # bases are not made
    assert of_the_package and of_the_package - made == set()
    builders = {name for name in kp.__all__ if name.startswith("build_")}
    assert builders - {row.make.func.__name__ for row in ROWS if not row.is_layer} == set()


def subclasses(cls):
    found = set(cls.__subclasses__())
    return found.union(*map(subclasses, found))
