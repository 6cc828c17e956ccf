"""The client's requests, held against the SavedModel's own signature; and a real server, if any.

A stand-in server takes what the client sends over REST and gRPC, reads it as TensorFlow Serving's
documentation says, and answers from the SavedModel. With TF_SERVING_ADDRESS=host (and the ports
8501 and 8500), as after `make demo` and `make serve`, the same is asked of a real one.
"""

import base64
import http.server
import json
import os
import runpy
import threading
from concurrent import futures
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.export.small import ask, png

pytestmark = pytest.mark.slow

grpc = pytest.importorskip("grpc")
apis = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving_client.py"
PICTURES = [png(p) for p in np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype("uint8")]


@pytest.fixture(scope="module")
def client():
    return type("Client", (), runpy.run_path(str(EXAMPLE), run_name="example"))


@pytest.fixture(scope="module")
def loaded(digits):
    return tf.saved_model.load(digits[1])


@pytest.fixture(scope="module")
def wanted(loaded):
    return ask(loaded, "serve_bytes", {"array": PICTURES})["classes"]


def predict(loaded, signature, tensors):
    """As the server does: tensors by name to the signature, checked against what it takes."""
    taken = loaded.signatures[signature].structured_input_signature[1]
    assert sorted(tensors) == sorted(taken)
    for name, spec in taken.items():
        assert spec.is_compatible_with(tf.convert_to_tensor(tensors[name]))
    return ask(loaded, signature, tensors)


def answer_rest(loaded, body):
    """The row format: a list of instances, each a dict of values, bytes as {"b64": text}."""
    request = json.loads(body)
    rows = request["instances"]
    tensors = {
        name: [base64.b64decode(row[name]["b64"], validate=True) for row in rows]
        for name in rows[0]
    }
    outputs = predict(loaded, request["signature_name"], tensors)
    assert len(outputs) == 1  # one output is given without its name
    return {"predictions": next(iter(outputs.values())).tolist()}


@pytest.fixture(scope="module")
def rest_port(loaded):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                assert self.path == "/v1/models/digits:predict"
                status, answer = 200, answer_rest(loaded, body)
            except (tf.errors.OpError, AssertionError) as error:
                status, answer = 400, {"error": str(error)}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def grpc_port(loaded):
    from tensorflow_serving.apis import predict_pb2

    class Service(apis.PredictionServiceServicer):
        def Predict(self, request, context):
            if request.model_spec.name != "digits":
                context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
            tensors = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            try:
                outputs = predict(loaded, request.model_spec.signature_name, tensors)
            except tf.errors.OpError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            response = predict_pb2.PredictResponse()
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(futures.ThreadPoolExecutor(2))
    apis.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


def test_rest(client, rest_port, wanted):
    found = client.ask_rest("127.0.0.1", rest_port, "digits", PICTURES)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_grpc(client, grpc_port, wanted):
    found = client.ask_grpc("127.0.0.1", grpc_port, "digits", PICTURES)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_errors_come_in_the_servers_words(client, rest_port, grpc_port):
    for function, port in ((client.ask_rest, rest_port), (client.ask_grpc, grpc_port)):
        with pytest.raises(RuntimeError, match="PNG or JPEG"):
            function("127.0.0.1", port, "digits", [b"no picture"])
    with pytest.raises(RuntimeError, match="Servable not found"):
        client.ask_grpc("127.0.0.1", grpc_port, "letters", PICTURES)


def test_the_pictures_it_brings(client):
    pytest.importorskip("sklearn")
    pictures = client.some_digits()
    assert len(pictures) == 3
    assert tf.io.decode_png(pictures[0]).shape == (8, 8, 1)


@pytest.mark.skipif("TF_SERVING_ADDRESS" not in os.environ, reason="TF_SERVING_ADDRESS is not set")
def test_a_real_server(client):
    host = os.environ["TF_SERVING_ADDRESS"]
    rest = client.ask_rest(host, 8501, "digits", client.some_digits())
    np.testing.assert_allclose(
        client.ask_grpc(host, 8500, "digits", client.some_digits()), rest, atol=1e-4
    )
    assert rest.argmax(axis=-1).tolist() == [0, 1, 2]
    for function, port in ((client.ask_rest, 8501), (client.ask_grpc, 8500)):
        with pytest.raises(RuntimeError):
            function(host, port, "digits", [b"no picture"])
        assert len(function(host, port, "digits", PICTURES)) == 3
