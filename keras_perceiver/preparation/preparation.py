"""The base class of all preparations."""

import os

import keras

from keras_perceiver.data import tensor_checks


class Preparation(keras.layers.Layer):
    """A layer without weights from raw data to a model's inputs.

    It works on arrays, in `dataset.map`, in a `tf.function` and as a part of a model, on the
    TensorFlow backend. Whatever the global dtype policy, results are float32 unless `dtype` is
    given. `readable` is the way back: from a model's outputs to an answer.

    A subclass implements `__call__`, which converts raw data with `raw` and passes them on, `call`,
    `readable`, `from_file` and `get_config`; and `of_bytes`, if served models take the bytes of its
    files.
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)  # half precision is too coarse for raw values
        self.built = True

    def of_bytes(self):
        """{name of an input: function from one string, the bytes of a file, to one example}."""
        return {}

    def readable(self, outputs):
        """The answers of a batch, in a list with an entry for each example."""
        raise NotImplementedError


def raw(name, value, wanted):
    """`value` as a TensorFlow tensor or a symbolic one, or ValueError: strings are allowed, too."""
    if isinstance(value, keras.KerasTensor):
        return value
    return tensor_checks.tensor(name, value, wanted)


def pixels_or_bytes(name, value):
    """The same for pixels or the bytes of files; a path is refused."""
    wanted = "pixels, or the bytes of PNG or JPEG files"
    if isinstance(value, (str, os.PathLike)):
        raise ValueError(
            f"`{name}` must be {wanted}; `from_file` takes a path. Received: {name}={value!r}"
        )
    return raw(name, value, wanted)
