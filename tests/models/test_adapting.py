"""Inputs are standardised by statistics that are measured on data and saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.layers.standardization import Moments

SIZES = {"num_latents": 4, "latent_dim": 16, "num_self_attends_per_block": 1, "jit_compile": False}
OFFSET, SCALE = np.array([1e4, 0.0, -3e5]), np.array([1.0, 1e-3, 1e4])


def far_off(count=50, length=11):
    return np.random.default_rng(1).normal(size=(count, length, 3)) * SCALE + OFFSET


def labels(count=50):
    return np.arange(count) % 2


def classifier(**options):
    options = {"normalize": True, **options}
    model = kp.build_classifier(kp.Array((11, 3), **options), 2, optimizer="sgd", **SIZES)
    model.run_eagerly = True  # tracing takes far longer than the few steps of these tests
    return model


def standardized(model, x):
    layer = model.input_descriptions["array"].standardization
    return keras.ops.convert_to_numpy(layer(x)).astype("float64")


def check(model, x):
    found = standardized(model, x)
    np.testing.assert_allclose(found.mean((0, 1)), 0, atol=1e-2)
    np.testing.assert_allclose(found.std((0, 1)), 1, atol=1e-2)


def pipeline(x, batch=7):
    return tf.data.Dataset.from_tensor_slices((x, labels(len(x)))).batch(batch)


class Batches(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return len(self.x) // 25

    def __getitem__(self, index):
        rows = slice(25 * index, 25 * index + 25)
        return self.x[rows], labels(len(self.x))[rows]


@pytest.mark.parametrize("data", ["array", "tensor", "dict", "pipeline", "py_dataset"])
def test_the_first_fit_measures(data):
    x, model = far_off(), classifier()
    model.run_eagerly = data != "array"  # so that one is compiled
    rest = {} if data in ("pipeline", "py_dataset") else {"y": labels(), "batch_size": 25}
    make = {
        "array": lambda x: x,
        "tensor": lambda x: tf.constant(x, "float32"),
        "dict": lambda x: {"array": x},
        "pipeline": lambda x: pipeline(x, 25),
        "py_dataset": Batches,
    }[data]
    model.fit(make(x), **rest, verbose=0)
    check(model, x)
    kept = standardized(model, x)
    model.fit(make(5 * x), **rest, verbose=0)  # other data do not change what was measured
    np.testing.assert_array_equal(standardized(model, x), kept)


def test_training_of_pipelines_measures():
    model = classifier()
    kp.training.fit(model, pipeline(far_off(), 25), epochs=1, verbose=0)
    check(model, far_off())


def test_adapt_replaces_what_was_measured():
    x, model = far_off(), classifier()
    model.adapt(x)
    check(model, x)
    model.adapt(pipeline(2 * x + 1), batches=1)
    check(model, 2 * x[:7] + 1)


def test_measured_alike_in_any_batches():
    x = far_off(31)
    one, other = Moments(), Moments()
    one.add(x)
    for start in (0, 1, 2, 20):
        stop = {0: 1, 1: 2, 2: 20, 20: 31}[start]
        other.add(x[start:stop])
    for a, b in zip(one.mean_and_std(), other.mean_and_std()):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_allclose(one.mean_and_std()[0], x.mean((0, 1)))
    np.testing.assert_allclose(one.mean_and_std()[1], x.std((0, 1)))


@pytest.mark.slow
def test_offsets_do_not_matter():
    """A model learns from values around 10,000 as well as from values around 0."""
    x = np.random.default_rng(0).normal(size=(200, 11, 1))
    y = (x[:, 3, 0] > 0).astype(int)
    for normalize, better in ((True, True), (False, False)):
        keras.utils.set_random_seed(0)
        description = kp.Array((11, 1), normalize=normalize)
        model = kp.build_classifier(description, 2, learning_rate=4e-3, **SIZES)
        model.fit(1e4 + x, y, epochs=30, verbose=0)
        accuracy = model.evaluate(1e4 + x, y, verbose=0, return_dict=True)["accuracy"]
        assert (accuracy > 0.9) == better, f"normalize={normalize}: {accuracy}"


def test_constant_channels_become_zero():
    x = far_off()
    x[..., 1] = 0.1
    model = classifier()
    model.adapt(x.astype("float32"))
    np.testing.assert_allclose(standardized(model, x)[..., 1], 0, atol=1e-6)


@pytest.mark.slow
def test_half_precision_keeps_small_differences():
    x = far_off()
    model = kp.build_classifier(
        kp.Array((11, 3), normalize=True), 2, dtype="mixed_bfloat16", **SIZES
    )
    model.adapt(x)
    found = standardized(model, x)
    np.testing.assert_allclose(found.std((0, 1)), 1, atol=2e-2)


def test_absent_examples_do_not_count():
    x = far_off()
    x[25:] = 0
    inputs = {"a": kp.Array((11, 3), normalize=True, may_be_missing=True), "b": kp.Array((2, 1))}
    model = kp.build_classifier(inputs, 2, **SIZES)
    model.adapt({"a": x, "b": np.zeros((50, 2, 1)), "a_present": np.arange(50) < 25})
    layer = model.input_descriptions["a"].standardization
    np.testing.assert_allclose(layer.mean, x[:25].mean((0, 1)), rtol=1e-5, atol=1e-4)


def test_an_input_that_all_examples_lack_is_not_measured():
    x = far_off()
    inputs = {"a": kp.Array((11, 3), normalize=True, may_be_missing=True), "b": kp.Array((2, 1))}
    model = kp.build_classifier(inputs, 2, optimizer="sgd", **SIZES)
    model.run_eagerly = True
    model.fit({"b": np.zeros((50, 2, 1))}, labels(), verbose=0)
    layer = model.input_descriptions["a"].standardization
    assert not layer.adapted
    model.fit({"a": x, "b": np.zeros((50, 2, 1))}, labels(), verbose=0)
    np.testing.assert_allclose(layer.mean, x.mean((0, 1)), rtol=1e-5, atol=1e-4)


def test_frames_of_sound_are_standardised_by_bin():
    sound = kp.Audio(
        480, samples_per_patch=40, stem="mel", mel_bins=8, sampling_rate=8000, normalize=True
    )
    model = kp.build_classifier(sound, 2, **SIZES)
    x = np.random.default_rng(0).normal(0, 0.1, (20, 480, 1)).astype("float32")
    model.adapt(x)
    reader = model.input_descriptions["audio"]
    found = keras.ops.convert_to_numpy(reader(x))[..., :8]
    np.testing.assert_allclose(found.mean((0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(found.std((0, 1)), 1, atol=1e-3)


def test_saved_with_the_model(tmp_path):
    x, model = far_off(), classifier()
    model.fit(x, labels(), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.run_eagerly = True
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    again.fit(x[:10] * 3, labels(10), verbose=0)
    check(again, x)


def test_training_does_not_change_the_statistics():
    x, model = far_off(), classifier()
    model.adapt(x)
    kept = model.input_descriptions["array"].standardization.get_weights()
    model.fit(3 * x, labels(), verbose=0)
    for a, b in zip(kept, model.input_descriptions["array"].standardization.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_what_is_refused_changes_nothing():
    x, model = far_off(), classifier()
    model.adapt(x)
    kept = [np.array(weight) for weight in model.weights]
    broken = x.copy()
    broken[..., 2] = np.nan
    for data, message in (
        (broken, "a finite value in each channel"),
        (iter([x]), "`data` must be the model's inputs"),
        (pipeline(x).take(0), "no examples"),
    ):
        with pytest.raises(ValueError, match=message):
            model.adapt(data)
    with pytest.raises(ValueError, match="`batches` must be"):
        model.adapt(x, batches=0)
    with pytest.raises(ValueError, match="needs an input with normalize=True"):
        classifier(normalize=False).adapt(x)
    for a, b in zip(kept, model.weights):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_generator_trains_unmeasured():
    """A generator can be read only once: nothing is taken from it."""
    x, model = far_off(), classifier()

    def batches():
        yield x[:10], labels(10)
        yield x[10:20], labels(10)

    model.fit(batches(), steps_per_epoch=2, shuffle=False, verbose=0)
    assert not model.input_descriptions["array"].standardization.adapted
    model.fit(x[:10], labels(10), verbose=0)  # nor later, when its weights have learned raw values
    assert not model.input_descriptions["array"].standardization.adapted


@pytest.mark.parametrize("how", ["frozen", "lora"])
def test_frozen_statistics_stay(how):
    """Fine-tuning changes nothing beside its own weights, which are all that its file holds."""
    x, model = far_off(), classifier()
    if how == "lora":
        kp.finetuning.enable_lora(model, rank=2)
    else:
        model.encoder.trainable = False
        model.compile("sgd", model.loss)
    model.run_eagerly = True
    model.fit(x, labels(), verbose=0)
    assert not model.input_descriptions["array"].standardization.adapted
    model.adapt(x)  # only if asked
    check(model, x)
