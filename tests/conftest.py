"""What holds for every test: TensorFlow keeps quiet, random numbers are the same each time."""

import gc
import os

import pytest


def pytest_configure():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_collection_finish():
    gc.collect()
    gc.freeze()  # TensorFlow's and Keras' own half a million objects need no tidying up


@pytest.fixture(autouse=True)
def same_random_numbers():
    import keras

    keras.utils.set_random_seed(2103)


@pytest.fixture(autouse=True)
def no_graphs_left_behind():
    """After a thousand tests, Python's own tidying up would take more time than they do."""
    yield
    from keras_perceiver.forgetting import forget_gradients

    forget_gradients()


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
