"""The client's requests, held against the SavedModel's own signature; and a real server, if any.

A stand-in server takes what the client sends over REST and gRPC, reads it as TensorFlow Serving's
documentation says, and answers from the SavedModel; another does so from an OpenVINO file, as
OpenVINO Model Server. With TF_SERVING_ADDRESS=host (and the ports 8501 and 8500), as after `make
demo` and `make serve`, the same is asked of a real one; with OVMS_ADDRESS=host, as after `make
serve-openvino`, of the other.
"""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.export.small import ask, png

pytestmark = pytest.mark.slow

pytest.importorskip("tensorflow_serving.apis")
stand_in_server = pytest.importorskip("tests.stand_in_server")

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


@pytest.fixture(scope="module")
def stand_in(digits, loaded):
    return stand_in_server.StandIn("digits", Path(digits[1]), loaded)


@pytest.fixture(scope="module")
def rest_port(stand_in):
    with stand_in_server.rest_server(stand_in) as port:
        yield port


@pytest.fixture(scope="module")
def grpc_port(stand_in):
    with stand_in_server.grpc_server(stand_in) as port:
        yield port


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


OPEN = [-1, -1, -1, 1]  # sizes are checked in the model, whose message says what was wanted
FOREIGN = """
import json, sys
import numpy as np
import ovmsclient
from ovmsclient.tfs_compat.base.errors import ModelNotFoundError

make, port = sys.argv[1:]
client = getattr(ovmsclient, make)(f"127.0.0.1:{port}")
array = np.asarray(json.load(sys.stdin), "float32")
status = client.get_model_status("digits", 1)
assert status[1]["state"] == "AVAILABLE" and status[1]["error_code"] == 0, status
answer = client.predict({"array": array}, "digits", 1)
metadata = client.get_model_metadata("digits", 1)
print(json.dumps({"answer": answer.tolist(), "metadata": metadata}))
try:
    client.get_model_status("letters", 1)
except ModelNotFoundError:
    pass
else:
    raise SystemExit("letters were found")
"""


@pytest.mark.parametrize("make", ("make_grpc_client", "make_http_client"))
def test_a_foreign_client(make, rest_port, grpc_port, loaded):
    """OpenVINO's client, in a process without TensorFlow: status, metadata, predictions."""
    pytest.importorskip("ovmsclient")
    array = np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    port = {"make_grpc_client": grpc_port, "make_http_client": rest_port}[make]
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FOREIGN, make, str(port)],
        input=json.dumps(array.tolist()),
        capture_output=True,
        text=True,
    )
    assert not run.returncode, run.stderr
    found = json.loads(run.stdout)
    wanted = ask(loaded, "serving_default", {"array": array})["classes"]
    np.testing.assert_allclose(found["answer"], wanted, atol=1e-5)
    metadata = found["metadata"]
    if make == "make_grpc_client":
        assert metadata["model_version"] == 1
        assert metadata["inputs"]["array"] == {"shape": OPEN, "dtype": "DT_FLOAT"}
        assert metadata["outputs"]["classes"] == {"shape": [-1, 10], "dtype": "DT_FLOAT"}
    else:  # the client gives TensorFlow Serving's answer, in whose words it is not its own
        metadata = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
        sizes = metadata["inputs"]["array"]["tensor_shape"]["dim"]
        assert [int(one["size"]) for one in sizes] == OPEN


@pytest.fixture(scope="module")
def openvino_ports(digits, tmp_path_factory):
    pytest.importorskip("openvino")
    path = kp.export.openvino(digits[0], tmp_path_factory.mktemp("openvino") / "digits", version=3)
    stand_in = stand_in_server.OpenVinoStandIn("digits", path)
    rest, grpc = stand_in_server.rest_server(stand_in), stand_in_server.grpc_server(stand_in)
    with rest as rest_port, grpc as grpc_port:
        yield {"rest": rest_port, "grpc": grpc_port}


def test_numbers(client, rest_port, grpc_port, wanted):
    numbers = client.as_numbers(PICTURES)
    assert numbers.shape == (3, 8, 8, 1) and 0.9 < numbers.max() <= 1.0
    found = client.ask_rest("127.0.0.1", rest_port, "digits", numbers)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    found = client.ask_grpc("127.0.0.1", grpc_port, "digits", numbers)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_numbers_to_openvino_model_server(client, openvino_ports, wanted):
    numbers = client.as_numbers(PICTURES)
    found = client.ask_rest("127.0.0.1", openvino_ports["rest"], "digits", numbers)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    found = client.ask_grpc("127.0.0.1", openvino_ports["grpc"], "digits", numbers)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


STATUS = EXAMPLE.parent / "serving_status.py"
OPENVINO_CLIENT = """
import json, sys
import ovmsclient

client = ovmsclient.make_http_client(f"127.0.0.1:{sys.argv[1]}")
print(json.dumps([client.get_model_status("digits"), client.get_model_metadata("digits")]))
"""


def run(*command):
    """What a new process, without TensorFlow, prints."""
    found = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, command)], capture_output=True, text=True
    )
    assert not found.returncode, found.stderr
    return found.stdout


def test_status_by_the_example(grpc_port, openvino_ports):
    pytest.importorskip("ovmsclient")
    command = (STATUS, "--host", "127.0.0.1", "--grpc-port")
    assert run(*command, openvino_ports["grpc"]).splitlines() == [
        "version 3: AVAILABLE",
        "inputs array: DT_FLOAT [-1, 8, 8, 1]",
        "outputs classes: DT_FLOAT [-1, 10]",
    ]
    assert run(*command, grpc_port).splitlines()[:2] == [
        "version 1: AVAILABLE",
        "inputs array: DT_FLOAT [-1, -1, -1, 1]",
    ]


def test_status_and_metadata_of_openvino_model_server_over_rest(openvino_ports):
    pytest.importorskip("ovmsclient")
    status, metadata = json.loads(run("-c", OPENVINO_CLIENT, openvino_ports["rest"]))
    assert status["3"]["state"] == "AVAILABLE" and status["3"]["error_code"] == 0
    assert metadata == {
        "model_version": 3,
        "inputs": {"array": {"shape": [-1, 8, 8, 1], "dtype": "DT_FLOAT"}},
        "outputs": {"classes": {"shape": [-1, 10], "dtype": "DT_FLOAT"}},
    }


def test_the_pictures_it_brings(client):
    pytest.importorskip("sklearn")
    pictures = client.some_digits()
    assert len(pictures) == 3
    assert tf.io.decode_png(pictures[0]).shape == (8, 8, 1)


@pytest.mark.skipif("OVMS_ADDRESS" not in os.environ, reason="OVMS_ADDRESS is not set")
def test_a_real_openvino_model_server(client):
    host, numbers = os.environ["OVMS_ADDRESS"], client.as_numbers(client.some_digits())
    rest = client.ask_rest(host, 8501, "digits", numbers)
    np.testing.assert_allclose(client.ask_grpc(host, 8500, "digits", numbers), rest, atol=1e-4)
    assert rest.argmax(axis=-1).tolist() == [0, 1, 2]


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
