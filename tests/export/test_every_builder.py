"""Every builder through a SavedModel; `test_every_way.py` has the other formats."""

import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.builders import BUILDERS, SEPARABLE, make

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", BUILDERS)
def test_saved_model(name, tmp_path):
    """Exporting holds the answers of the file against the model's."""
    assert tf.saved_model.load(kp.export.saved_model(make(name), tmp_path / "m")).signatures


@pytest.mark.parametrize("way", ["separable", "chunked"])
@pytest.mark.parametrize("name", SEPARABLE)
def test_saved_models_of_other_ways(name, way, tmp_path):
    assert kp.export.saved_model(make(name, attention=way), tmp_path / "m").is_dir()
