"""LayerNorms of a file for OpenVINO: one operation each, whatever the inputs' mean."""

import numpy as np
import pytest

import keras_perceiver as kp
from tests.export.runtimes import in_openvino
from tests.export.small import SIZES
from tests.random_values import randomize

pytestmark = pytest.mark.slow


def operations(path):
    openvino = pytest.importorskip("openvino")
    return [node.get_type_name() for node in openvino.Core().read_model(path).get_ordered_ops()]


def test_every_norm_is_one_operation(tmp_path):
    model = kp.build_masked_language_model(7, dim=8, **{**SIZES, "num_self_attends_per_block": 2})
    kinds = operations(kp.export.openvino(model, tmp_path / "model.xml"))
    # Of the cross-attends three each; of the self-attends two each.
    assert kinds.count("MVN") == 2 * 3 + 2 * 2
    assert "Power" not in kinds


@pytest.mark.parametrize("mean", [0.0, -3e4])
def test_inputs_far_from_zero(mean, tmp_path):
    pytest.importorskip("openvino")
    model = randomize(kp.build_classifier(kp.Entities(17, 37), 5, **SIZES))
    run = in_openvino(kp.export.openvino(model, tmp_path / "model.xml"), "f32")
    x = np.random.default_rng(0).normal(mean, 1, (2, 17, 37)).astype("float32")
    request = {"entities": x, "entities_mask": np.ones((2, 17), bool)}
    (found,) = run(request).values()
    wanted = model.predict(request, verbose=0)
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
