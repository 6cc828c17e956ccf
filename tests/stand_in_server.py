"""Answers over REST and gRPC as the documentation of a model server says, from an exported file.

`StandIn` answers from a SavedModel as TensorFlow Serving, `OpenVinoStandIn` from an OpenVINO file
as OpenVINO Model Server.
"""

import base64
import contextlib
import http.server
import json
import re
import threading
from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.export.small import ask

PATH = re.compile(
    r"/v1/models/(?P<name>\w+)(/versions/(?P<version>\d+))?(?P<verb>:predict|/metadata)?"
)
DEFAULT = "serving_default"


class StandIn:
    """One version of one model.

    Args:
        name: Its name.
        path: Directory of the version, whose name is a number.
        loaded: The SavedModel, if it is loaded already.
    """

    preserves_field_names = True  # in JSON: "model_spec", not "modelSpec"
    newest = (None,)  # what stands for the newest version in a path

    def __init__(self, name, path, loaded=None):
        self.name, self.path = name, path
        self.version = int(path.name)
        self.loaded = tf.saved_model.load(str(path)) if loaded is None else loaded

    def predict(self, signature, tensors):
        """As the server does: tensors by name to the signature, checked against what it takes."""
        taken = self.loaded.signatures[signature].structured_input_signature[1]
        assert sorted(tensors) == sorted(taken)
        given = {}
        for name, spec in taken.items():
            given[name] = tf.convert_to_tensor(tensors[name], spec.dtype)
            assert spec.is_compatible_with(given[name])
        return ask(self.loaded, signature, given)

    def signatures(self):
        """The map of signatures in the file, without that which initialises the tables."""
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((self.path / "saved_model.pb").read_bytes())
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in saved.meta_graphs[0].signature_def.items():
            if not name.startswith("__"):
                found.signature_def[name].CopyFrom(signature)
        return found

    def rest(self, method, path, body):
        """(status, answer) to a request."""
        asked = PATH.fullmatch(path)
        if asked is None or asked["name"] != self.name:
            return 404, {"error": "Servable not found"}
        if asked["version"] not in (*self.newest, str(self.version)):
            return 404, {"error": f"Servable not found: version {asked['version']}"}
        if method == "POST" and asked["verb"] == ":predict":
            try:
                return 200, self._predicted(json.loads(body))
            except (tf.errors.OpError, AssertionError) as error:
                return 400, {"error": str(error)}
        if method == "GET" and asked["verb"] == "/metadata":
            keep = self.preserves_field_names
            found = json_format.MessageToDict(self.signatures(), preserving_proto_field_name=keep)
            return 200, self._metadata(found)
        if method == "GET" and asked["verb"] is None:
            fine = {"error_code": "OK", "error_message": ""}
            state = {"version": str(self.version), "state": "AVAILABLE", "status": fine}
            return 200, {"model_version_status": [state]}
        return 405, {"error": "Malformed request"}

    def _metadata(self, found):
        spec = {"name": self.name, "signature_name": "", "version": str(self.version)}
        return {"model_spec": spec, "metadata": {"signature_def": found}}

    def _predicted(self, request):
        """In the row format ("instances"), or the column format ("inputs")."""
        signature = request.get("signature_name", DEFAULT)
        if "inputs" in request:
            tensors = {name: _plain(column) for name, column in request["inputs"].items()}
            outputs = self.predict(signature, tensors)
            listed = {name: value.tolist() for name, value in outputs.items()}
            return {"outputs": listed if len(listed) > 1 else next(iter(listed.values()))}
        rows = request["instances"]
        tensors = {name: [_plain(row[name]) for row in rows] for name in rows[0]}
        outputs = self.predict(signature, tensors)
        assert len(outputs) == 1  # one output is given without its name
        return {"predictions": next(iter(outputs.values())).tolist()}


class OpenVinoStandIn(StandIn):
    """The same for an OpenVINO file in the folder of a version.

    There is one signature, and the name of the signature in a request is of no consequence. JSON
    has the names of fields in camel case. Version 0 stands for the newest, in paths too.

    Args:
        name: Name of the model.
        path: Directory of the version, whose name is a number.
    """

    preserves_field_names = False
    newest = (None, "0")

    def __init__(self, name, path):
        import openvino

        (file,) = path.glob("*.xml")
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        super().__init__(name, path, openvino.Core().compile_model(str(file), "CPU", exact))

    def predict(self, signature, tensors):
        assert sorted(tensors) == sorted(tensor.get_any_name() for tensor in self.loaded.inputs)
        given = {name: np.asarray(value, "float32") for name, value in tensors.items()}
        answer = self.loaded(given)
        return {tensor.get_any_name(): answer[tensor] for tensor in self.loaded.outputs}

    def signatures(self):
        found = get_model_metadata_pb2.SignatureDefMap()
        signature = found.signature_def[DEFAULT]
        tensors = ((self.loaded.inputs, signature.inputs), (self.loaded.outputs, signature.outputs))
        for named, described in tensors:
            for tensor in named:
                one = described[tensor.get_any_name()]
                one.dtype = tf.as_dtype(tensor.element_type.to_dtype()).as_datatype_enum
                for size in tensor.partial_shape:
                    one.tensor_shape.dim.add(size=-1 if size.is_dynamic else size.get_length())
        return found

    def _metadata(self, found):
        spec = {"name": self.name, "version": str(self.version)}
        return {"modelSpec": spec, "metadata": {"signature_def": found}}


def _plain(value):
    """A value of a request; bytes are {"b64": text}."""
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return [_plain(one) for one in value] if isinstance(value, list) else value


@contextlib.contextmanager
def rest_server(stand_in):
    """Yields the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = stand_in.rest(self.command, self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = answer

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def grpc_server(stand_in):
    """Yields the port."""

    def check(spec, context):
        if spec.name != stand_in.name or spec.version.value not in (0, stand_in.version):
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")

    class Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            check(request.model_spec, context)
            tensors = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            signature = request.model_spec.signature_name or DEFAULT
            try:
                outputs = stand_in.predict(signature, tensors)
            except tf.errors.OpError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            response = predict_pb2.PredictResponse()
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(np.asarray(value)))
            return response

        def GetModelMetadata(self, request, context):
            check(request.model_spec, context)
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = stand_in.name
            response.model_spec.version.value = stand_in.version
            assert list(request.metadata_field) == ["signature_def"]
            response.metadata["signature_def"].Pack(stand_in.signatures())
            return response

    class Models(model_service_pb2_grpc.ModelServiceServicer):
        def GetModelStatus(self, request, context):
            check(request.model_spec, context)
            response = get_model_status_pb2.GetModelStatusResponse()
            status = response.model_version_status.add(version=stand_in.version)
            status.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
            return response

    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Predictions(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()
