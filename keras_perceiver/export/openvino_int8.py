"""Export to OpenVINO in int8."""

import contextlib
import io
import logging
import os
import tempfile
from pathlib import Path

from keras_perceiver import arguments
from keras_perceiver.export.calibration_examples import calibration_examples
from keras_perceiver.export.float_layers import float_layers, operations_of
from keras_perceiver.export.int8_losses import Int8Losses
from keras_perceiver.export.openvino import EXACT, caller, openvino
from keras_perceiver.export.single_file import SingleFile
from keras_perceiver.extras import require


def openvino_int8(
    model,
    path: str | os.PathLike,
    calibration,
    *,
    validation=None,
    metric=None,
    mode: str = "auto",
    largest_loss: float | dict[str, float] = 0.01,
    num_examples: int = 100,
    in_float: tuple[str, ...] = (),
    verbose: int = 1,
    allow_uncompiled: bool = False,
) -> Path:
    """Writes a model for OpenVINO that computes in int8, and measures what that loses.

    Weights and activations of products are rounded to 8 bits; ranges of activations are those of
    your own examples. This pays where the processor multiplies int8 (AVX-512 VNNI, AMX, or VNNI of
    newer Intel and AMD processors). Fourier encodings, and separable and folded attention, stay in
    floating point: 8 bits do not resolve their intermediate values. Nothing is trained.

    The loss of each output is measured on examples that were not used for the ranges, between the
    file in float32 and the file in int8 as this processor runs it:

    - without `metric`, for classes: the share of answers with another class than in float32 (with
      `multi_label`, of classes with another sign);
    - without `metric`, for values: the mean squared difference from float32, divided by the
      variance;
    - with `metric`: how much worse it is with your targets.

    Args:
        model: A compiled `Perceiver`.
        path: A new file that ends with ".xml"; the weights are written beside it, to ".bin".
        calibration: Examples like those that will be served: a `tf.data.Dataset` of batches, or
            arrays; inputs, `(inputs, targets)` or `(inputs, targets, weights)`, as for `fit`.
        validation: Examples to measure the loss with, in the same forms; all are used. Default:
            every second batch of `calibration`, which is then not used for the ranges.
        metric: A `keras.metrics.Metric`, or the name of one of the output's own, such as
            "accuracy"; with several outputs, a dict by output. An output without one is compared
            with float32. `validation` (or `calibration`) must have targets.
        mode: "max" if a larger metric is better, "min" if a smaller one is, or "auto".
        largest_loss: Largest allowed loss, or a dict by output.
        num_examples: Number of examples for the ranges. They are taken one at a time; each takes
            about ten times as long as an answer.
        in_float: Names of layers that stay in floating point, such as "encoder_cross_attention" or
            "latent_transformer/self_attention_0", if they lose most.
        verbose: 1 to show progress and the losses, 0 to be silent.
        allow_uncompiled: Whether a model that is not compiled is accepted.

    Returns:
        `path`, as a `Path`. The file has the inputs and outputs of `openvino`. It also contains the
        losses: see the example.

    Raises:
        ImportError: if the packages openvino and nncf are not installed.
        ValueError: if an argument is not suitable. Nothing is written.
        RuntimeError: if an output loses more than allowed. Nothing is written.

    Example:

    >>> kp.export.openvino_int8(model, "digits.xml", train, validation=test, metric="accuracy")
    classes: accuracy 0.9806 in float32, 0.9778 in int8
    >>> compiled = openvino.Core().compile_model("digits.xml", "CPU")
    >>> logits = compiled({"array": images})["classes"]
    >>> openvino.Core().read_model("digits.xml").get_rt_info(["int8", "classes", "loss"]).value
    '0.0028'
    """
    runtime, quantizer = require("openvino", "export"), require("nncf", "export")
    file = SingleFile(model, path, ".xml", allow_uncompiled)
    num_examples = arguments.whole_number("num_examples", num_examples)
    arguments.one_of("verbose", verbose, (0, 1))
    losses = Int8Losses(model, metric, mode, largest_loss)
    paths = float_layers(model, in_float)
    examples, held_out = calibration_examples(model, calibration, validation, num_examples)
    losses.require_targets(next(iter(held_out))[1])
    with tempfile.TemporaryDirectory() as folder:
        plain = openvino(model, Path(folder) / "float.xml", allow_uncompiled=True)
        plain = runtime.Core().read_model(plain)
        ignored = operations_of(paths, plain)
        with _quiet(verbose):
            small = quantizer.quantize(
                plain.clone(),
                quantizer.Dataset(examples),
                subset_size=len(examples),
                model_type=quantizer.ModelType.TRANSFORMER,
                ignored_scope=quantizer.IgnoredScope(names=ignored, validate=False),
            )
        runtime.save_model(small, Path(folder) / "int8.xml", compress_to_fp16=False)
        small = runtime.Core().read_model(Path(folder) / "int8.xml")
        wanted = caller(runtime, plain, file.output_names, EXACT)
        found = caller(runtime, small, file.output_names, {})
        for inputs, targets, weights in held_out:
            losses.update(wanted(inputs), found(inputs), targets, weights)
        losses.check()
        for key, numbers in losses.told().items():
            for name, value in numbers.items():
                small.set_rt_info(value, ["int8", key, name])
        with file.written_aside() as aside:
            runtime.save_model(small, aside, compress_to_fp16=False)
    if verbose:
        print("\n".join(losses.lines()))
    return file.path


@contextlib.contextmanager
def _quiet(verbose):
    """Hides what nncf logs, and without `verbose` its progress too."""
    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.nullcontext() if verbose else contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
