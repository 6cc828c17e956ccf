"""What a model says of itself, and the same model for inputs of any size."""

import keras

from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.entities import Entities
from keras_perceiver.inputs.image import Image
from keras_perceiver.inputs.points import Points
from keras_perceiver.inputs.text import Text
from keras_perceiver.inputs.video import Video
from keras_perceiver.models.descriptions import as_inputs, as_outputs
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.outputs.at_points import AtPoints
from keras_perceiver.outputs.per_input import PerInput
from keras_perceiver.outputs.reconstruction import Reconstruction


class Description:
    """The input and output descriptions of a model.

    Args:
        model: A `Perceiver`.

    Attributes:
        readers: Its input descriptions by name, as they were when it was built.
        outputs: Its output descriptions by name.
    """

    def __init__(self, model):
        config = model.get_config()
        config.pop("trainable")
        for key in ("inputs", "outputs", "dtype", "activation"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        self.model, self.config = model, config
        self.readers = as_inputs(config["inputs"])
        self.outputs = as_outputs(config["outputs"], self.readers)

    def rebuilt(self, open_sizes=False, **changes):
        """The model built again with the same weights, or None if its weights are other ones.

        A model's weights are other ones than those it was built with after `enable_lora` or
        `quantize`.

        Args:
            open_sizes: Whether sizes of inputs are left open where the weights allow it.
            **changes: Arguments of `Perceiver` to be changed.
        """
        config = {**self.config, **changes}
        if open_sizes:
            readers = {key: self._opened(key) for key in self.readers}
            is_dict = isinstance(config["inputs"], dict)
            config["inputs"] = readers if is_dict else next(iter(readers.values()))
            outputs = {key: _opened_output(output) for key, output in self.outputs.items()}
            is_dict = isinstance(config["outputs"], dict)
            config["outputs"] = outputs if is_dict else next(iter(outputs.values()))
        again = Perceiver(**config)
        if _weights(again) != _weights(self.model):
            return None
        again.set_weights(self.model.get_weights())
        return again

    def size_follows(self, key):
        """Whether the shape of an output depends on the grid of this input."""
        return any(
            (isinstance(output, Reconstruction) and output.input == key)
            or (isinstance(output, PerInput) and output.input in (key, None))
            for output in self.outputs.values()
        )

    def _opened(self, key):
        reader = self.readers[key]
        config = reader.get_config()
        if isinstance(reader, (Array, Image, Video)):
            if reader.positions == "learned" or self.size_follows(key):
                return reader
            if reader.positions == "fourier":  # the frequencies stay
                fourier = reader.make_fourier()
                config["num_bands"] = fourier.num_bands
                config["max_resolution"] = fourier.max_resolution
            if isinstance(reader, Array):
                config["shape"] = (*[None] * len(reader.grid), reader.shape[-1])
            else:
                open_axes = ("frames", "height", "width") if isinstance(reader, Video) else ()
                config.update(dict.fromkeys(open_axes or ("height", "width")))
        elif isinstance(reader, Text):
            config["dynamic_length"] = True
        elif isinstance(reader, Points):
            config["num_points"] = None
        elif isinstance(reader, Entities):
            config["num_entities"] = None
        return type(reader).from_config(config)


def _opened_output(output):
    if isinstance(output, AtPoints):
        return AtPoints(**{**output.get_config(), "num_points": None})
    return output


def _weights(model):
    return [(weight.path, tuple(weight.shape), weight.dtype) for weight in model.weights]
