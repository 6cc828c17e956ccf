"""Times of OpenVINO files in int8, bfloat16 and float32, and what int8 loses after training.

    python benchmarks/int8.py --peers-python .venv-peers/bin/python
    python benchmarks/int8.py --quick       few layers and short training, without the peer

Speed: the published language model on 2,048 bytes, ours and transformers' (PerceiverForMaskedLM),
both with random weights, quantized by nncf in the same way and with the same examples. The peer's
environment needs torch, transformers, openvino and nncf; without --peers-python, ours is measured
alone. All files are called in turn in one process, with the same runtime and number of threads.

Accuracy: small models of images of digits and of sentences in 79 languages, trained here for about
a minute each, in float32 and in int8, on test data used neither for training nor for ranges.

Writes benchmarks/results/int8.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import openvino
import tensorflow as tf

import keras_perceiver as kp
from benchmarks.exports import in_turn
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "int8.md"
INSTRUCTIONS = ("avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
SIZES = {"num_latents": 32, "latent_dim": 64, "num_self_attends_per_block": 2}
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "bf16"}  # int8: all but its products


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers-python", type=Path, help="the interpreter with transformers")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--examples", type=int, default=8, help="for the ranges of the speed part")
    parser.add_argument("--parts", nargs="*", default=["speed", "accuracy"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    speed = speed_rows(options) if "speed" in options.parts else []
    accuracy = list(accuracy_rows(options)) if "accuracy" in options.parts else []
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(report(speed, accuracy, options))
    print(options.output.read_text())
    return 0


def speed_rows(options):
    changes = {"num_self_attends_per_block": 2} if options.quick else {}
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        keras.utils.set_random_seed(0)
        model = kp.presets.get("perceiver_io_language_bytes").build(**changes)
        (tensor,) = model.inputs
        ids = random.integers(6, 262, (options.examples, *tensor.shape[1:])).astype("int32")
        files = {"ours": folder / "ours", "transformers": folder / "peer"}
        kp.export.openvino(model, folder / "ours-float.xml", allow_uncompiled=True)
        kp.export.openvino_int8(  # random weights: what is lost says nothing
            model,
            folder / "ours-int8.xml",
            ids,
            validation=ids[:1],
            largest_loss=1.0,
            num_examples=options.examples,
            allow_uncompiled=True,
        )
        del model
        if options.peers_python:
            np.save(folder / "ids.npy", ids)
            command = [options.peers_python, "-m", "benchmarks.int8_peer", folder]
            command += [str(changes.get("num_self_attends_per_block", 26))]
            subprocess.run(command, check=True, cwd=Path(__file__).resolve().parent.parent)
        else:
            del files["transformers"]
        calls = {}
        for name, path in files.items():
            for precision, hint in HINTS.items():
                kind = "int8" if precision == "int8" else "float"
                calls[name, precision] = caller(f"{path}-{kind}.xml", hint, ids[:1], options)
        times = in_turn(calls, options.turns)
    return [
        (name, precision, f"{found:.0f}", f"{times[name, 'bfloat16'] / found:.2f}")
        for (name, precision), found in times.items()
    ]


def caller(path, hint, ids, options):
    hints = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": options.threads}
    compiled = openvino.Core().compile_model(path, "CPU", hints)
    request = {
        compiled.input(0).get_any_name(): ids.astype(compiled.input(0).element_type.to_dtype())
    }
    return lambda: compiled(request)


def accuracy_rows(options):
    for name, make in (("digits", digits), ("texts", texts)):
        for attention in ("plain", "separable") if name == "digits" else ("plain",):
            keras.utils.set_random_seed(0)
            model, train, test, epochs = make(attention)
            if options.quick:
                train, epochs = train.take(10), 1
            model.fit(train, epochs=epochs, verbose=2)
            with tempfile.TemporaryDirectory() as folder:
                path = kp.export.openvino_int8(
                    model,
                    Path(folder) / "small.xml",
                    train,
                    validation=test,
                    metric="accuracy",
                    largest_loss=1.0,
                    num_examples=20 if options.quick else 200,
                )
                told = openvino.Core().read_model(path).get_rt_info(["int8", "classes"]).value
            numbers = [f"{float(text(told[key])):.4f}" for key in ("float32", "int8")]
            yield name, attention, *numbers


def text(value):
    return getattr(value, "value", value)


def digits(attention):
    train, test = kp.data.digits(batch_size=32)
    model = kp.build_classifier(
        (8, 8, 1), num_classes=10, attention=attention, jit_compile=False, **SIZES
    )
    return model, train, test, 40


def texts(attention):
    train = kp.data.load("language_bytes", "train", batch_size=64, seed=0)
    test = kp.data.load("language_bytes", "test", batch_size=64)
    known = kp.data.recipe("language_bytes")
    model = kp.build_perceiver_io(
        known.inputs, known.outputs, attention=attention, jit_compile=False, **SIZES
    )
    return model, train, test, 3


def report(speed, accuracy, options):
    about = machine()
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    lines = [
        "# int8 in OpenVINO",
        "",
        f"On {about['cpu']}, {options.threads} threads, with "
        f"{', '.join(one for one in INSTRUCTIONS if one in flags) or 'no instructions for int8'}; "
        f"OpenVINO {openvino.__version__.split('-')[0]}, TensorFlow {tf.__version__}.",
        *(["Few layers, short training (`--quick`)."] if options.quick else []),
    ]
    if speed:
        lines += [
            "",
            f"Language, 2,048 bytes, batch 1, random weights: medians of {options.turns} turns, "
            "all files in turn. int8 computes in bfloat16 what is not in int8.",
            "",
            "| model | precision | ms | bfloat16 / this |",
            "|---|---|---:|---:|",
            *(f"| {' | '.join(row)} |" for row in speed),
        ]
    if accuracy:
        lines += [
            "",
            "Test accuracy of small models after training:",
            "",
            "| data | attention | float32 | int8 |",
            "|---|---|---:|---:|",
            *(f"| {' | '.join(row)} |" for row in accuracy),
        ]
    command = f"python benchmarks/int8.py{' --quick' if options.quick else ''}"
    return "\n".join([*lines, "", f"Written by `{command}`."]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
