"""Each failure that `kp.check` can name is provoked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.random_values import normal

SIZES = {
    "num_latents": 4,
    "latent_dim": 16,
    "num_self_attends_per_block": 1,
    "num_cross_attention_heads": 1,
    "jit_compile": False,
}
STEPS = {"examples": 8, "steps": 4}


def model_of(inputs, outputs=None, **options):
    return kp.build_perceiver_io(inputs, outputs or kp.Classes(3), **{**SIZES, **options})


LABELS = np.arange(16) % 3


@pytest.fixture(scope="module")
def good():
    """A model, its data, and the report; all weights and optimizer variables before and after."""
    model = model_of({"a": kp.Array((6, 2), num_bands=2, masked=True), "b": kp.Table(3)})
    mask = np.ones((16, 6), bool)
    mask[:, 4:] = False
    inputs = {"a": normal(16, 6, 2), "a_mask": mask, "b": normal(16, 3)}
    model.fit(inputs, LABELS, epochs=1, verbose=0)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    report = kp.check(model, (inputs, LABELS), examples=16, steps=120)
    return model, inputs, report, before, [np.array(variable) for variable in variables]


@pytest.mark.slow
def test_a_good_model_passes(good):
    _, _, report, *_ = good
    assert report.passed, report
    found = {finding.name: finding.passed for finding in report.findings}
    assert found == {
        **{"range of a": True, "range of b": True, "a matters": True, "b matters": True},
        **{"mask of a": True, "gradients": True, "learns by heart": True},
        **{"memory": True, "speed": True},
    }


@pytest.mark.slow
def test_the_model_is_as_before(good):
    model, inputs, _, before, after = good
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    iterations = int(model.optimizer.iterations)
    model.fit(inputs, LABELS, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == iterations + 1


@pytest.mark.slow
def test_it_prints_and_shows(good):
    report = good[2]
    assert str(report).startswith("check of ") and "nothing bad" in str(report)
    assert "good learns by heart: loss" in str(report)
    assert report._repr_html_().count("<tr>") == 1 + len(report.findings)


def failures(model, data, **options):
    return kp.check(model, data, **{**STEPS, **options}).failures


@pytest.mark.slow
@pytest.mark.parametrize(
    "change, told",
    [
        (lambda x: x * 1e4, "from -"),
        (lambda x: x + 1e3, "mean 1000"),
        (lambda x: 0 * x + 3, "always 3"),
    ],
)
def test_inputs_out_of_range(change, told):
    model = model_of(kp.Array((6, 2), num_bands=2))
    found = failures(model, (change(normal(16, 6, 2)), LABELS))
    assert told in found["range of array"].told and found["range of array"].remedy


@pytest.mark.slow
def test_large_values_are_fine_if_they_are_standardised():
    model = model_of(kp.Array((6, 2), num_bands=2, normalize=True))
    before = [np.array(one) for one in model.variables]
    assert "range of array" not in failures(model, (1e4 * normal(16, 6, 2) + 1e5, LABELS))
    for one, other in zip(before, model.variables):
        np.testing.assert_array_equal(one, other)  # statistics, too


def test_values_that_are_not_finite():
    model = model_of(kp.Image(6, 5, 1, num_bands=2))
    images = normal(16, 6, 5, 1)
    images[3, 0, 0] = np.inf
    found = failures(model, (images, LABELS))
    assert set(found) == {"range of image"}
    assert "not finite in 1 of 8 examples, first 3" in found["range of image"].told


@pytest.mark.slow
def test_a_loss_that_is_not_finite():
    model = model_of(kp.Array((6, 2), num_bands=2))
    weights = np.full(16, np.nan, "float32")
    found = failures(model, (normal(16, 6, 2), LABELS, weights))
    assert "not finite for " in found["gradients"].told
    assert "not finite" in found["learns by heart"].remedy


@pytest.mark.slow
def test_an_input_that_is_always_masked():
    model = model_of({"a": kp.Array((6, 2), num_bands=2), "b": kp.Labels(4)}, mask_probs={"b": 1.0})
    labels = np.eye(4, dtype="float32")[np.arange(16) % 4]
    found = failures(model, ({"a": normal(16, 6, 2), "b": labels}, LABELS))
    assert set(found) & {"a matters", "b matters"} == {"b matters"}


@pytest.mark.slow
def test_a_mask_that_does_not_mask():
    """A convolution reads across the edge of the masked part."""
    inputs = kp.Image(8, 8, 1, stem="conv", stem_norm="group", num_bands=2, masked=True)
    model = model_of(inputs)
    mask = np.ones((16, inputs.num_inputs), bool)
    mask[:, 1] = False
    given = {"image": normal(16, 8, 8, 1), "image_mask": mask}
    assert "neighbours" in failures(model, (given, LABELS))["mask of image"].remedy


@pytest.mark.slow
def test_weights_without_a_gradient():
    model = model_of(
        kp.Array((6, 2), num_bands=2), {"a": kp.Classes(3), "b": kp.Classes(3)},
        loss_weights={"a": 1.0, "b": 0.0},
    )  # fmt: skip
    found = failures(model, (normal(16, 6, 2), {"a": LABELS, "b": LABELS}))
    assert "zero for " in found["gradients"].told and "b_head" in found["gradients"].told


@pytest.mark.slow
def test_targets_that_cannot_be_learned():
    inputs = np.repeat(normal(1, 6, 2), 16, axis=0)
    model = model_of(kp.Array((6, 2), num_bands=2))
    found = kp.check(model, (inputs, LABELS), examples=16, steps=60)
    assert set(found.failures) == {"learns by heart"}
    assert "60 steps on 16 examples" in found.failures["learns by heart"].told
    assert next(one for one in found.findings if one.name == "array matters").passed is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer, passed, told, remedy",
    [
        (keras.optimizers.SGD(1e-9), False, "with SGD at 1e-09", "raise the learning rate"),
        (keras.optimizers.SGD(1e4), False, "with SGD at 1e+04", "Training diverges"),
        (keras.optimizers.SGD(1e-4), None, "with SGD at 0.0001", "more slowly than Adam"),
    ],
)
def test_an_optimizer_that_does_not_learn_what_adam_does(optimizer, passed, told, remedy):
    model = model_of(kp.Array((6, 2), num_bands=2), optimizer=optimizer)
    before = [np.array(one) for one in model.variables]
    report = kp.check(model, (normal(16, 6, 2), LABELS), examples=8, steps=80)
    found = {one.name: one for one in report.findings}
    assert found["learns by heart"].passed and "with Adam at 0.001" in found["learns by heart"].told
    assert found["optimizer"].passed is passed
    assert told in found["optimizer"].told and remedy in found["optimizer"].remedy
    assert model.optimizer is optimizer and not optimizer.built
    for one, other in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_optimizer_is_that_of_the_model_without_its_warm_up():
    rate = kp.training.warm_up_then_cosine(3e-3, 100_000, warm_up_steps=10_000)
    model = model_of(kp.Array((6, 2), num_bands=2), optimizer=keras.optimizers.Lion(rate))
    report = kp.check(model, (normal(16, 6, 2), LABELS), examples=8, steps=80)
    (found,) = (one for one in report.findings if one.name == "learns by heart")
    assert found.passed and "with Lion at 0.003" in found.told


def test_too_little_memory():
    """Nothing is trained if the examples themselves do not fit."""
    model = model_of(kp.Array((6, 2), num_bands=2))
    data = (normal(16, 6, 2), LABELS)
    report = kp.check(model, data, memory=1000, **STEPS)
    assert [one.name for one in report.findings] == ["range of array", "memory"]
    assert set(report.failures) == {"memory"} and "smaller batch" in str(report)
    assert "nothing was trained here" in report.failures["memory"].told


@pytest.mark.slow
def test_too_little_memory_for_a_batch():
    model = model_of(kp.Array((6, 2), num_bands=2))
    most = kp.costs(model, 100).training_bytes
    report = kp.check(model, (normal(16, 6, 2), LABELS), memory=most, batch_size=1000, **STEPS)
    assert "memory" in report.failures and "batches of 1000" in report.failures["memory"].told
    assert any(one.name == "speed" for one in report.findings)


@pytest.mark.slow
def test_a_pipeline_that_is_slower_than_training():
    def slow():
        import time

        while True:
            time.sleep(0.3)
            yield normal(4, 6, 2), LABELS[:4]

    model = model_of(kp.Array((6, 2), num_bands=2))
    spec = (tf.TensorSpec((4, 6, 2), tf.float32), tf.TensorSpec((4,), tf.int64))
    data = tf.data.Dataset.from_generator(slow, output_signature=spec)
    found = failures(model, data)
    assert "prefetch" in found["pipeline"].remedy
    quick = tf.data.Dataset.from_tensor_slices((normal(64, 6, 2), np.arange(64) % 3)).batch(4)
    report = kp.check(model, quick.cache(), **STEPS)
    assert "pipeline" not in report.failures
    speed = next(one for one in report.findings if one.name == "speed")
    assert "an epoch of 16 batches" in speed.told


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return normal(4, 6, 2), LABELS[:4]


@pytest.mark.slow
@pytest.mark.parametrize("data", [Sequence(), [(normal(4, 6, 2), LABELS[:4])] * 5])
def test_other_pipelines(data):
    report = kp.check(model_of(kp.Array((6, 2), num_bands=2)), data, **STEPS)
    assert "an epoch of 5 batches" in str(report)


@pytest.mark.parametrize(
    "model, data, message",
    [
        (None, (normal(4, 6, 2), LABELS[:4]), "`model` must be a compiled keras_perceiver"),
        ("built", normal(4, 6, 2), "`data` must give pairs"),
        ("built", [], "an empty pipeline"),
        ("built", (normal(0, 6, 2), LABELS[:0]), "`data` must have examples"),
    ],
)
def test_bad_arguments(model, data, message):
    if model == "built":
        model = model_of(kp.Array((6, 2), num_bands=2))
    with pytest.raises(ValueError, match=message):
        kp.check(model, data)
