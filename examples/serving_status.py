"""Prints which versions of a model a server has, and the tensors that the newest takes and gives.

    python examples/serving_status.py      (--help for other hosts, ports and models)

It asks over gRPC by OpenVINO's client (pip install ovmsclient), which also understands TensorFlow
Serving. Its messages have the names of TensorFlow's, so a process can import only one of the two.
"""

import argparse
import sys

import ovmsclient


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--model", default="digits")
    options = parser.parse_args()
    client = ovmsclient.make_grpc_client(f"{options.host}:{options.grpc_port}")
    for version, status in client.get_model_status(options.model).items():
        print(f"version {version}: {status['state']} {status['error_message']}".rstrip())
    metadata = client.get_model_metadata(options.model)
    for kind in ("inputs", "outputs"):
        for name, tensor in metadata[kind].items():
            print(f"{kind} {name}: {tensor['dtype']} {tensor['shape']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
