"""Tiny models, and how to ask a SavedModel as TensorFlow Serving does."""

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

import keras_perceiver as kp

PERCEIVER_SIZES = {
    "num_latents": 5,
    "latent_dim": 12,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}
SIZES = {**PERCEIVER_SIZES, "jit_compile": False}  # XLA takes longer than all that is run here


def digits_model():
    return kp.build_classifier(kp.Array((8, 8, 1)), num_classes=10, **SIZES)


def many_things_model():
    """An input of each kind that has a form in bytes, one that has none, queries at call time."""
    return kp.build_perceiver_io(
        {
            "image": kp.Image(6, 4, stem="patches", patch_size=2, positions="learned"),
            "sound": kp.Audio(28, samples_per_patch=4),
            "text": kp.Text(9, dim=8),
            "set": kp.Entities(5, 3),
        },
        {
            "label": kp.Classes(3),
            "field": kp.AtPoints(2, channels=1, num_bands=4),
            "letters": kp.Tokens(tied_to="text"),
        },
        **SIZES,
    )


def many_things_request(batch=2, seed=0):
    random = np.random.default_rng(seed)
    return {
        "image": random.random((batch, 6, 4, 3)).astype("float32"),
        "sound": random.uniform(-1, 1, (batch, 28, 1)).astype("float32"),
        "text": random.integers(1, 262, (batch, 9)).astype("int32"),
        "set": random.normal(size=(batch, 5, 3)).astype("float32"),
        "set_mask": random.random((batch, 5)) < 0.8,
        "field_points": random.uniform(-1, 1, (batch, 7, 2)).astype("float32"),
    }


def exported(make, path, class_names):
    """A model with the same weights each time, and the path of its SavedModel."""
    keras.utils.set_random_seed(1)
    model = make()
    return model, kp.export.saved_model(model, path, class_names=class_names)


def png(array):
    return tf.io.encode_png(array).numpy()


def wav(samples, rate=48000):
    return tf.audio.encode_wav(samples, rate).numpy()


def ask(loaded, signature, request):
    """Calls a signature of `tf.saved_model.load` with arrays."""
    tensors = {name: tf.constant(value) for name, value in request.items()}
    answer = loaded.signatures[signature](**tensors)
    return {name: value.numpy() for name, value in answer.items()}


class Session:
    """A SavedModel in a session, asked without the checks that Python does, as a server is."""

    def __init__(self, path):
        graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            self.meta = tf.compat.v1.saved_model.load(self.session, ["serve"], str(path))
        self.callables = {}
        for name, signature in self.meta.signature_def.items():
            if not name.startswith("__"):
                options = config_pb2.CallableOptions()
                options.feed.extend(signature.inputs[key].name for key in sorted(signature.inputs))
                outputs = sorted(signature.outputs)
                options.fetch.extend(signature.outputs[key].name for key in outputs)
                call = self.session._make_callable_from_options(options)
                self.callables[name] = (call, sorted(signature.inputs), outputs)

    def ask(self, signature, request):
        call, inputs, outputs = self.callables[signature]
        arrays = [request[name] for name in inputs]
        return dict(zip(outputs, call(*arrays)))
