"""What holds for every test: TensorFlow keeps quiet, random numbers are the same each time."""

import gc
import os

import pytest

from tests.later import is_later

# A two-step run of each experiment of the papers takes ten minutes: `make test-experiments`.
collect_ignore_glob = [] if os.environ.get("EXPERIMENTS") else ["examples/test_papers_*.py"]


def pytest_configure():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.hookimpl(tryfirst=True)  # before cases are selected by their marks
def pytest_collection_modifyitems(items):
    counts = {}
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        if not item.get_closest_marker("slow") and is_later(name, counts):
            item.add_marker("slow")
            item.add_marker("everywhere")


def pytest_collection_finish():
    gc.collect()
    gc.freeze()  # TensorFlow's and Keras' own half a million objects need no tidying up


SEED = 2103


@pytest.fixture(autouse=True, scope="module")
def same_random_numbers_in_each_file():
    import keras

    keras.utils.set_random_seed(SEED)


@pytest.fixture(autouse=True)
def same_random_numbers(same_random_numbers_in_each_file):
    """But for the seed of TensorFlow's own random operations, which is set once for each file.

    Setting it drops all kernels and functions that TensorFlow has made ready to run, and making
    them ready again takes longer than most tests.
    """
    import keras

    with pytest.MonkeyPatch.context() as patch:
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            patch.setattr(tf.random, "set_seed", lambda seed: None)
        keras.utils.set_random_seed(SEED)


@pytest.fixture(autouse=True)
def no_graphs_left_behind():
    """After a thousand tests, Python's own tidying up would take more time than they do."""
    yield
    from keras_perceiver.forgetting import forget_gradients

    forget_gradients()


@pytest.fixture
def no_local_start(monkeypatch):
    """Where only shapes and counts matter: initial values take a third of the time of a builder."""
    monkeypatch.setattr("keras_perceiver.models.perceiver.start_locally", lambda *parts: None)


@pytest.fixture
def no_collections(monkeypatch):
    """Keras collects garbage for each kernel that becomes int8, among all that is there by then."""
    monkeypatch.setattr(gc, "collect", lambda *generation: 0)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A small untrained classifier and the path of its SavedModel."""
    from tests.export.small import digits_model, exported

    names = list("0123456789")
    return exported(digits_model, tmp_path_factory.mktemp("served") / "digits", names)


@pytest.fixture(scope="session")
def many_things(tmp_path_factory):
    """A model with inputs and outputs of many kinds and the path of its SavedModel."""
    from tests.export.small import exported, many_things_model

    names = {"label": ["cat", "dog", "bird of prey"]}
    return exported(many_things_model, tmp_path_factory.mktemp("served") / "many-things", names)
