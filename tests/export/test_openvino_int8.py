"""Files in int8 answer nearly as the model does; those that lose more are refused."""

import sys

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.export.calibration_examples import calibration_examples
from keras_perceiver.export.disagreement import Disagreement
from keras_perceiver.export.labelled_batches import LabelledBatches
from keras_perceiver.export.metric_change import MetricChange
from tests.export.runtimes import in_openvino
from tests.export.small import SIZES, digits_model
from tests.random_values import randomize

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.normal(size=(64, 8, 8, 1)).astype("float32")
LABELS = RANDOM.integers(0, 10, 64)


@pytest.fixture(scope="module")
def model():
    return randomize(digits_model())


def weights_in_int8(path):
    """The number of kernels that an OpenVINO file holds in 8 bits."""
    openvino = pytest.importorskip("openvino")
    operations = openvino.Core().read_model(path).get_ops()
    kernels = [one for one in operations if one.get_type_name() == "Constant"]
    return sum(
        one.get_element_type().get_type_name() in ("i8", "u8") and len(one.shape) > 1
        for one in kernels
    )


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["plain", "separable"])
def test_images(attention, tmp_path, capsys):
    pytest.importorskip("nncf")
    outputs = {"label": kp.Classes(10), "values": kp.Values(3)}
    sizes = {**SIZES, "num_latents": 8, "latent_dim": 32}  # narrower random ones lose half
    model = kp.build_perceiver_io(kp.Array((8, 8, 1)), outputs, attention=attention, **sizes)
    randomize(model)
    labels = np.argmax(model(IMAGES)["label"], -1)
    targets = {"label": labels, "values": np.zeros((64, 3), "float32")}
    path = kp.export.openvino_int8(
        model,
        tmp_path / "small.xml",
        (IMAGES, targets),
        validation=(IMAGES, targets),
        metric={"label": "accuracy"},
        largest_loss=0.3,
        num_examples=48,
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.bin", "small.xml"]
    assert weights_in_int8(path) >= 6
    found = in_openvino(path, "f32")({"array": IMAGES})
    wanted = model(IMAGES)
    same = np.mean(found["label"].argmax(-1) == labels)
    assert same >= 0.7
    spread = np.var(wanted["values"], 0).sum()
    difference = np.square(found["values"] - wanted["values"]).mean(0).sum()
    assert 1e-6 < difference / spread < 0.3  # it is in int8, and nearly right
    told = capsys.readouterr().out
    assert "label: accuracy 1.0000 in float32, " in told
    assert "values: share of the variance 1.0000 in float32, " in told
    import openvino

    info = openvino.Core().read_model(path).get_rt_info(["int8", "values", "loss"]).value
    assert float(info) == pytest.approx(difference / spread, rel=0.5)


@pytest.mark.slow
def test_inputs_and_outputs_of_many_kinds(tmp_path, capsys):
    pytest.importorskip("nncf")
    inputs = {"image": kp.Image(8, 8), "text": kp.Text(9, dim=8), "set": kp.Entities(5, 3)}
    outputs = {
        "label": kp.Classes(3, multi_label=True),
        "letters": kp.Tokens(tied_to="text"),
        "depth": kp.Grid((8, 8), channels=1),
    }
    model = randomize(kp.build_perceiver_io(inputs, outputs, **SIZES))
    request = {
        "image": RANDOM.random((40, 8, 8, 3)).astype("float32"),
        "text": RANDOM.integers(1, 262, (40, 9)),
        "set": RANDOM.normal(size=(40, 5, 3)),
        "set_mask": RANDOM.random((40, 5)) < 0.8,
    }
    path = kp.export.openvino_int8(
        model, tmp_path / "m.xml", request, largest_loss=0.5, num_examples=8, verbose=0
    )
    assert weights_in_int8(path) >= 6
    assert capsys.readouterr().out == ""
    found, wanted = in_openvino(path)(request), model(request)
    for key, want in wanted.items():
        assert found[key].shape == want.shape
    assert np.mean(found["letters"].argmax(-1) == np.argmax(wanted["letters"], -1)) > 0.7


@pytest.mark.slow
def test_what_loses_more_is_refused(model, tmp_path):
    """Ranges from zeros are of no use for other images."""
    pytest.importorskip("nncf")
    with pytest.raises(RuntimeError, match=r"loses 0\.\d+ of output 'classes'.*loss=0 is allowed"):
        kp.export.openvino_int8(
            model,
            tmp_path / "m.xml",
            np.zeros_like(IMAGES),
            validation=IMAGES,
            largest_loss=0,
            num_examples=4,
            verbose=0,
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"calibration": None}, "`calibration` must be a tf.data.Dataset.*Received: None"),
        ({"calibration": IMAGES[:, :7]}, r"`calibration` must have inputs.*`array` must have shap"),
        ({"calibration": IMAGES + np.nan}, "`calibration` must have inputs.*be finite numbers"),
        ({"calibration": IMAGES > 0, "largest_loss": -1}, "`largest_loss` must be.*at least 0"),
        ({"calibration": IMAGES.astype("complex64")}, "must have float32 for the input 'array'"),
        ({"calibration": {"picture": IMAGES}}, r"by name, \['array'\]. Received: \['picture'\]"),
        ({"calibration": IMAGES[:20]}, "two batches without `validation`.* Received: 1 batches"),
        ({"calibration": IMAGES[:0]}, "at least two batches.*0 batches with 0 examples"),
        ({"num_examples": 0}, "`num_examples` must be a whole number of at least 1"),
        ({"metric": "f1"}, r"name of one of output 'classes', \['accuracy'\].*metric='f1'"),
        ({"metric": {"label": "accuracy"}}, r"`metric` must be for outputs among \['classes'\]"),
        ({"metric": keras.metrics.Sum()}, "`mode` must be 'max' or 'min' for the metric 'sum'"),
        ({"mode": "up"}, "`mode` must be one of"),
        ({"largest_loss": {"label": 0.1}}, r"`largest_loss` must be for outputs among"),
        ({"verbose": 3}, "`verbose` must be one of"),
        ({"validation": IMAGES[:0]}, "`validation` must have an example. Received: none"),
        ({"validation": IMAGES[:, :5]}, "`validation` must have inputs that the model takes"),
        ({"metric": "accuracy"}, "must have targets of output 'classes' for `metric`"),
        ({"in_float": ("no_such",)}, r"names of layers, such as \[.*encoder_cross_attention"),
        ({"in_float": "encoder"}, "`in_float` must be a tuple of names of layers"),
    ],
)
def test_bad_arguments(model, arguments, message, tmp_path):
    pytest.importorskip("nncf")
    arguments = {"calibration": IMAGES, **arguments}
    with pytest.raises(ValueError, match=message):
        kp.export.openvino_int8(model, tmp_path / "m.xml", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_bad_paths_and_models(model, tmp_path):
    pytest.importorskip("nncf")
    with pytest.raises(ValueError, match="ends with '.xml'"):
        kp.export.openvino_int8(model, tmp_path / "m.onnx", IMAGES)
    with pytest.raises(ValueError, match="`model` must be a Perceiver"):
        kp.export.openvino_int8(keras.Sequential(), tmp_path / "m.xml", IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_missing_nncf_is_explained(model, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ImportError, match=r"nncf, which is not installed.*keras-perceiver\[export"):
        kp.export.openvino_int8(model, tmp_path / "m.xml", IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_validation_must_end(model):
    endless = kp.data.from_arrays(IMAGES, LABELS, 32).repeat()
    with pytest.raises(ValueError, match="`validation` must end"):
        calibration_examples(model, IMAGES, endless, 4)
    examples, held_out = calibration_examples(model, endless, None, 40)  # calibration need not
    assert len(examples) == 40 and len(held_out) == 2


def test_every_second_batch_is_held_out(model):
    data = kp.data.from_arrays(IMAGES, LABELS, 10)
    examples, held_out = calibration_examples(model, data, None, 15)
    assert [one["array"].shape for one in examples] == [(1, 8, 8, 1)] * 15
    used = np.concatenate([IMAGES[:10], IMAGES[20:25]])
    np.testing.assert_array_equal(np.concatenate([one["array"] for one in examples]), used)
    inputs = np.concatenate([batch[0]["array"] for batch in held_out])
    np.testing.assert_array_equal(inputs, np.concatenate([IMAGES[10:20], IMAGES[30:40]]))
    np.testing.assert_array_equal(held_out[1][1], LABELS[30:40])


def test_batches_from_arrays_and_by_name(model):
    for data in (IMAGES, {"array": IMAGES}, (IMAGES, LABELS), (IMAGES, LABELS, LABELS)):
        first, *_ = LabelledBatches("calibration", data, model)
        assert first[0]["array"].shape == (32, 8, 8, 1) and first[0]["array"].dtype == "float32"
        assert [part is None for part in first[1:]] == [
            not isinstance(data, tuple),
            not isinstance(data, tuple) or len(data) < 3,
        ]


def test_disagreement_of_classes():
    measure = Disagreement(kp.Classes(3))
    wanted = np.array([[0.0, 1, 2], [3, 1, 2], [0, 5, 1], [1, 0, 0]])
    found = np.array([[0.0, 1, 2], [1, 3, 2], [0, 5, 1], [0, 1, 0]])
    measure.update(wanted, found)
    assert measure.loss == 0.5 and (measure.before, measure.after) == (1.0, 0.5)
    measure.update(wanted, wanted)
    assert measure.loss == 0.25
    weighted = Disagreement(kp.Classes(3))
    weighted.update(wanted, found, weights=np.array([1.0, 0.0, 2.0, 1.0]))
    assert weighted.loss == 0.25
    signs = Disagreement(kp.Classes(3, multi_label=True))
    signs.update(wanted - 0.5, found - 0.5)
    assert signs.loss == pytest.approx(2 / 12)


def test_disagreement_of_values_is_relative_to_their_variance():
    """In each channel around its mean, whatever the batches."""
    wanted = RANDOM.normal(size=(200, 5, 2)) * [1.0, 3.0] + [100.0, -7.0]
    found = wanted + 0.1 * RANDOM.normal(size=wanted.shape)
    measure = Disagreement(kp.Values(2))
    for some in (slice(0, 50), slice(50, 200)):
        measure.update(wanted[some], found[some])
    expected = np.square(found - wanted).mean((0, 1)).sum() / wanted.var((0, 1)).sum()
    assert measure.loss == pytest.approx(expected)
    assert 0.001 < expected < 0.003
    constant = Disagreement(kp.Values(2))
    constant.update(np.ones((3, 2)), np.ones((3, 2)))
    assert constant.loss == 0.0


def test_directions_of_metrics():
    logits, worse = np.eye(3, dtype="float32"), np.eye(3, dtype="float32")[[0, 2, 1]]
    better = MetricChange(kp.Classes(3), keras.metrics.SparseCategoricalAccuracy())
    better.update(logits, worse, np.arange(3))
    assert better.before == 1.0 and better.loss == pytest.approx(2 / 3)
    smaller = MetricChange(kp.Classes(3), keras.metrics.SparseCategoricalCrossentropy())
    smaller.update(logits, worse, np.arange(3))
    assert smaller.loss > 0
    upward = MetricChange(kp.Classes(3), keras.metrics.SparseCategoricalCrossentropy(), "max")
    upward.update(logits, worse, np.arange(3))
    assert upward.loss == -smaller.loss
