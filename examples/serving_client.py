"""Sends images to a digits model in a server, over REST and over gRPC.

    make demo                              trains the model and writes saved_models/digits
    make serve                             in another terminal; needs Docker
    python examples/serving_client.py      (--help for other hosts, ports and images)

Without arguments it sends three of scikit-learn's digits. With `--numbers` the images are decoded
here, as for training, and sent as numbers. OpenVINO Model Server (`make serve-openvino`) needs
this: it would decode PNG files to numbers from 0 to 255, and the model was trained on 0 to 1.

gRPC needs the package tensorflow-serving-api: pip install 'keras-perceiver[export]'.
"""

import argparse
import base64
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

INPUT, OUTPUT = "array", "classes"
BYTES, NUMBERS = "serve_bytes", "serving_default"  # the signatures for encoded images and numbers


def signature_of(pictures):
    """`pictures` are a list of encoded images, or an array `(batch, 8, 8, 1)`."""
    return NUMBERS if isinstance(pictures, np.ndarray) else BYTES


def rest_request(pictures):
    """The body of a REST request for encoded images or an array."""
    signature = signature_of(pictures)
    if signature == NUMBERS:
        instances = [{INPUT: picture} for picture in pictures.tolist()]
    else:
        instances = [{INPUT: {"b64": base64.b64encode(picture).decode()}} for picture in pictures]
    return json.dumps({"signature_name": signature, "instances": instances}).encode()


def rest_answer(body):
    """Logits `(batch, 10)` from the body of a response; RuntimeError with the server's message."""
    answer = json.loads(body)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return np.array(answer["predictions"], "float32")


def ask_rest(host, port, model, pictures, timeout=10.0):
    url = f"http://{host}:{port}/v1/models/{model}:predict"
    request = urllib.request.Request(url, rest_request(pictures), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            body = response.read()
    except urllib.error.HTTPError as error:  # the server's message is in the body
        with error:
            body = error.read()
    return rest_answer(body)


def grpc_request(model, pictures):
    """The same request as a protocol buffer."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature_of(pictures)
    request.inputs[INPUT].CopyFrom(tf.make_tensor_proto(pictures))
    return request


def grpc_answer(response):
    """Logits `(batch, 10)` from a response."""
    return tf.make_ndarray(response.outputs[OUTPUT])


def ask_grpc(host, port, model, pictures, timeout=10.0):
    """The same over gRPC; RuntimeError with the server's message."""
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            return grpc_answer(stub.Predict(grpc_request(model, pictures), timeout=timeout))
        except grpc.RpcError as error:
            raise RuntimeError(error.details()) from error


def some_digits():
    """Three digits as PNG files."""
    from sklearn.datasets import load_digits

    images = load_digits().images[:3, ..., None]
    return [tf.io.encode_png((image * 255 / 16).astype("uint8")).numpy() for image in images]


def as_numbers(pictures):
    """Encoded images as an array `(batch, 8, 8, 1)` from 0 to 1, prepared as for training."""
    import keras_perceiver as kp

    return np.stack([kp.data.image_pixels(picture, 8, 8, 1) for picture in pictures])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pictures", nargs="*", type=Path, help="PNG or JPEG files")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--rest-port", type=int, default=8501)
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--model", default="digits")
    parser.add_argument(
        "--numbers", action="store_true", help="send numbers, as OpenVINO Model Server needs them"
    )
    options = parser.parse_args()
    pictures = [path.read_bytes() for path in options.pictures] or some_digits()
    if options.numbers:
        pictures = as_numbers(pictures)
    over_rest = ask_rest(options.host, options.rest_port, options.model, pictures)
    over_grpc = ask_grpc(options.host, options.grpc_port, options.model, pictures)
    for one, other in zip(over_rest, over_grpc):
        print(f"REST: {one.argmax()}   gRPC: {other.argmax()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
