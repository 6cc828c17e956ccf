"""How large requests may be, and that a sample of each size can be answered."""

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.export.rebuilt import rebuilt
from keras_perceiver.export.request_limits import request_checks
from keras_perceiver.export.sample_requests import sample_request
from keras_perceiver.inputs.request_limits import MOST
from tests.export.small import PERCEIVER_SIZES, SIZES, ask


def more(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "inputs, largest, usual",
    [
        more(kp.Array((6, 5)), {"array": (18, 5)}, {"array": (6, 5)}),
        (
            kp.Array((6, 4, 5), masked=True),
            {"array": (18, 12, 5), "array_mask": (18 * 12,)},
            {"array": (6, 4, 5), "array_mask": (24,)},
        ),
        (
            kp.Image(None, None, stem="patches", patch_size=2, max_resolution=7, masked=True),
            {"image": (42, 42, 3), "image_mask": (21 * 21,)},
            {"image": (32, 32, 3), "image_mask": (16 * 16,)},
        ),
        more(kp.Image(8, 4, stem="conv"), {"image": (24, 12, 3)}, {"image": (8, 4, 3)}),
        (
            kp.Audio(12, 4, masked=True, may_be_missing=True),
            {"audio": (12, 1), "audio_mask": (3,), "audio_present": (1,)},
            {"audio": (12, 1), "audio_mask": (3,), "audio_present": (1,)},
        ),
        more(kp.Text(9, dim=8, dynamic_length=True), {"text": (9,)}, {"text": (9,)}),
        (kp.Text(90, dim=8, dynamic_length=True), {"text": (90,)}, {"text": (16,)}),
        (
            kp.Points(num_features=2),
            {"points": (MOST, 3), "points_features": (MOST, 2)},
            {"points": (16, 3), "points_features": (16, 2)},
        ),
        (
            kp.Table(5, (2, 3), masked=True),
            {"table": (5,), "table_categories": (2,), "table_mask": (7,)},
            {"table": (5,), "table_categories": (2,), "table_mask": (7,)},
        ),
        (
            kp.Entities(7, 5),
            {"entities": (21, 5), "entities_mask": (21,)},
            {"entities": (7, 5), "entities_mask": (7,)},
        ),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_sizes(inputs, largest, usual):
    model = kp.Perceiver(inputs, kp.Classes(2), **PERCEIVER_SIZES)
    specs = {tensor.name: tensor for tensor in rebuilt(model, open_sizes=True).inputs}
    checks = request_checks(specs, model, max_batch=5, max_growth=3)
    assert {name: check.largest for name, check in checks.items()} == {
        name: (5, *sizes) for name, sizes in largest.items()
    }
    assert {name: tuple(check.usual) for name, check in checks.items()} == usual
    request = sample_request(checks, model.input_descriptions, batch=2)
    answer = model(request if isinstance(model.input, dict) else next(iter(request.values())))
    assert answer.shape == (2, 2)


@pytest.mark.slow
def test_a_larger_grid_with_its_mask(tmp_path):
    model = kp.build_classifier(kp.Array((4, 6, 5), masked=True), num_classes=3, **SIZES)
    loaded = tf.saved_model.load(kp.export.saved_model(model, tmp_path / "masked", max_growth=2))
    data = np.random.default_rng(0).random((2, 8, 12, 5)).astype("float32")
    for size in ((2, 1), (8, 12)):
        request = {
            "array": data[:, : size[0], : size[1]],
            "array_mask": np.ones((2, size[0] * size[1]), bool),
        }
        assert ask(loaded, "serving_default", request)["classes"].shape == (2, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        ask(loaded, "serving_default", {**request, "array_mask": np.ones((2, 95), bool)})
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`array` must have shape.* 1 to 8,"):
        array, mask = np.zeros((2, 9, 6, 5), "float32"), np.ones((2, 54), bool)
        ask(loaded, "serving_default", {"array": array, "array_mask": mask})
