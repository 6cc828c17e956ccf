"""Runs model files in OpenVINO and in ONNX Runtime, with the same settings for ours and for peers.

Imports a runtime only when it is used, since the two sides have different environments.
"""

from benchmarks.protocol import WorkerError

TITLES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}
SUFFIXES = {"openvino": ".xml", "onnxruntime": ".onnx"}


def check(runtime, mode, dtype):
    """Raises WorkerError if files cannot do such a work."""
    if mode != "forward":
        raise WorkerError("runs only forward passes")
    if runtime == "onnxruntime" and dtype != "float32":
        raise WorkerError("runs only float32")


def load(runtime, path, dtype, threads, inputs):
    """Compiles the float32 file at `path`.

    Args:
        runtime: "openvino" or "onnxruntime".
        path: A file of that runtime.
        dtype: The precision in which it computes.
        threads: The number of threads.
        inputs: A dict from names of the file's inputs to NumPy arrays.

    Returns:
        A function that runs the file on `inputs` and returns its outputs.
    """
    return {"openvino": _openvino, "onnxruntime": _onnxruntime}[runtime](
        path, dtype, threads, inputs
    )


def _openvino(path, dtype, threads, inputs):
    import openvino

    hints = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[dtype],
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", hints)
    return lambda: compiled(inputs)


def _onnxruntime(path, dtype, threads, inputs):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)
