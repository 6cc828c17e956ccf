"""What holds for every test: TensorFlow keeps quiet, random numbers are the same each time."""

import os

import pytest


def pytest_configure():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def same_random_numbers():
    import keras

    keras.utils.set_random_seed(2103)
