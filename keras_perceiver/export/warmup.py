"""The file with which TensorFlow Serving warms up a model before it takes requests.

The file is a TFRecord of `PredictionLog` messages of the package tensorflow-serving-api. Only
strings and nested messages are needed. Protocol buffers encode both as a key (the field number
shifted left by 3, plus 2), a length and the bytes. They are encoded here, so that the package is
not needed; tests decode them with the package.

    PredictionLog  6: PredictLog     PredictLog  1: PredictRequest
    PredictRequest 1: ModelSpec      2: for each input an entry of 1: its name, 2: its TensorProto
    ModelSpec      1: name           3: signature_name
"""

import tensorflow as tf

FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup(folder, model_name, requests):
    """Writes the warm-up file of a SavedModel.

    Args:
        folder: Path of the SavedModel.
        model_name: Name under which it will be served.
        requests: {name of a signature: {name of an input: array}}.
    """
    path = folder / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, tensors in requests.items():
            writer.write(prediction_log(model_name, signature, tensors))


def prediction_log(model_name, signature, tensors):
    """The bytes of one PredictionLog."""
    spec = _field(1, model_name.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for name, array in tensors.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number, content):
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value):
    """Seven bits per byte, the lowest first; the eighth bit means that more bytes follow."""
    encoded = []
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
