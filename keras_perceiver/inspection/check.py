"""Is a model ready for a long training on these data?"""

import time

import keras
import numpy as np

from keras_perceiver import arguments
from keras_perceiver.inspection.batches import FirstBatches
from keras_perceiver.inspection.gradient_recorder import GradientRecorder
from keras_perceiver.inspection.inputs_matter import each_input_matters, inputs_in_range, masks_mask
from keras_perceiver.inspection.machine import free_bytes
from keras_perceiver.inspection.report import Finding, Report
from keras_perceiver.inspection.trial import trial, use_optimizer
from keras_perceiver.models.costs import costs
from keras_perceiver.models.perceiver import Perceiver

LEARNED = 0.5  # of the loss at first, on examples that are seen again and again
# The bias of keys adds the same to all scores of a query, which softmax cancels; the table of
# missing values is used only where some are missing.
MAY_BE_ZERO = ("/key/bias", "/missing_table")


def check(
    model,
    data,
    *,
    examples: int = 32,
    steps: int = 100,
    batch_size: int = 32,
    memory: int | None = None,
):
    """Asks of a compiled model and its training data what often goes wrong, before a long training.

    - inputs in range: finite, not constant, neither huge nor all on one side of zero;
    - each input matters: the outputs change if one input is exchanged among examples;
    - masks mask: what is masked has no effect, and masking something has one;
    - gradients: after three steps, all finite and none zero for a whole weight;
    - learns by heart: `examples` examples, seen `steps` times with Adam at 1e-3, halve the loss;
    - memory: the estimate of `kp.costs` for a batch fits into what is free;
    - speed: examples a second, the time of an epoch, and whether the pipeline keeps up.

    It takes about the time of `steps` training steps. The model and its optimizer are as before
    afterwards.

    Args:
        model: A compiled `Perceiver`.
        data: The training data: a tuple of arrays `(x, y)` or `(x, y, sample_weight)`, or a
            pipeline of such batches. A pipeline is read from its start.
        examples: How many examples are looked at and learned by heart.
        steps: Training steps on these examples.
        batch_size: Examples of a training step, if `data` are arrays.
        memory: Bytes that the training may take, such as the memory of an accelerator. Default:
            what is free of this machine's main memory.

    Returns:
        A `Report`: print it, or leave it at the end of a notebook cell. `report.passed` is whether
        nothing is bad, `report.failures` are those that are, each with a remedy.

    Raises:
        ValueError: if `model` is not a compiled Perceiver, `data` have no targets, or an argument
            is wrong.

    Example:

    >>> report = kp.check(model, (images, labels))
    >>> assert report.passed, report
    """
    if not isinstance(model, Perceiver) or not model.compiled or model.optimizer is None:
        state = " that is not compiled" if isinstance(model, Perceiver) else ""
        raise ValueError(
            "`model` must be a compiled keras_perceiver Perceiver. Received: "
            f"{type(model).__name__}{state}"
        )
    arguments.whole_number("examples", examples)
    arguments.whole_number("steps", steps)
    arguments.whole_number("batch_size", batch_size)
    arguments.optional_whole_number("memory", memory)
    first = FirstBatches(data, examples, batch_size)
    raw = first.parts[0]
    findings = inputs_in_range(model, raw if isinstance(raw, dict) else {model.inputs[0].name: raw})
    if any(finding.told.startswith("not finite") for finding in findings):
        return Report(model.name, tuple(findings))  # training on them tells nothing more
    given = model.check_inputs(raw)
    if not isinstance(given, dict):
        given = {model.inputs[0].name: given}
    given = {name: keras.ops.convert_to_numpy(array) for name, array in given.items()}
    model._check_targets(first.parts[1])
    count = len(given[model.inputs[0].name])
    with trial(model):
        if any(getattr(one, "normalize", False) for one in model.input_descriptions.values()):
            model.adapt(first.parts[0])
        use_optimizer(model, keras.optimizers.Adam(1e-3))
        losses, seconds = _train(model, first.parts, 3)
        findings += each_input_matters(model, given)
        findings += masks_mask(model, given)
        adam = model.optimizer
        findings.append(_gradients(model, first.parts))
        use_optimizer(model, adam)
        more, later = _train(model, first.parts, max(1, steps - 3))
        findings.append(_learned(losses + more, count))
    findings.append(_memory(model, first.batch_size, memory))
    # The first step of each run is traced and compiled.
    findings += _speed(first, float(np.median(seconds[1:] + later[1:])), count)
    return Report(model.name, tuple(findings))


def _train(model, parts, steps):
    """Losses of some steps on the same examples, and the seconds of each."""
    losses, seconds = [], []
    for _ in range(steps):
        start = time.perf_counter()
        losses.append(_loss(model.train_on_batch(*parts)))
        seconds.append(time.perf_counter() - start)
    return losses, seconds


def _loss(found):
    return float(np.ravel(found[0] if isinstance(found, (list, tuple)) else found)[0])


def _gradients(model, parts):
    recorder = GradientRecorder()
    use_optimizer(model, recorder)
    model.train_on_batch(*parts)
    names = [variable.path for variable in model.trainable_variables]
    found = [np.asarray(keras.ops.convert_to_numpy(one.value)) for one in recorder.recorded]
    broken = [name for name, one in zip(names, found) if not np.isfinite(one).all()]
    if broken:
        return Finding(
            "gradients", False, f"not finite for {_some(broken)}",
            "Look for NaN or infinity in inputs, targets and sample weights; lower the learning "
            "rate; with float16 use a LossScaleOptimizer.",
        )  # fmt: skip
    zero = [
        name for name, one in zip(names, found) if not one.any() and not name.endswith(MAY_BE_ZERO)
    ]
    if zero:
        return Finding(
            "gradients", False, f"zero for {_some(zero)}",
            "These weights do not learn: their input is not in the data or is always masked, or "
            "their output has no loss, or only sample weights of zero.",
        )  # fmt: skip
    size = np.sqrt(sum(float((one.astype("float64") ** 2).sum()) for one in found))
    return Finding(
        "gradients", True, f"finite and not zero for {len(found)} weights, norm {size:.3g}"
    )


def _some(names):
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _learned(losses, examples):
    # The first steps learn how frequent each target is, which needs no input.
    first, last = min(losses[0], losses[len(losses) // 10]), float(np.median(losses[-3:]))
    told = f"loss {first:.4g} at first, {last:.4g} after {len(losses)} steps on {examples} examples"
    if not np.isfinite(losses).all():
        remedy = "The loss is not finite: look for NaN in targets or targets out of range."
        return Finding("learns by heart", False, told, remedy)
    passed = last <= LEARNED * first
    return Finding(
        "learns by heart", passed, told,
        "A model that cannot learn a few examples learns nothing from many: compare targets with "
        "their inputs, look at the findings above, or make the model larger; a few hundred `steps` "
        "tell whether it is only slow.",
    )  # fmt: skip


def _memory(model, batch_size, memory):
    try:
        needed = costs(model, batch_size).training_bytes
    except ValueError:
        return Finding("memory", None, "sizes are known only at call time, so no estimate")
    free = free_bytes() if memory is None else memory
    told = f"about {needed / 2**20:,.0f} MiB for batches of {batch_size}"
    if free is None:
        return Finding("memory", None, told, "Give `memory`, in bytes, to compare with.")
    return Finding(
        "memory", needed <= free, f"{told}, {free / 2**20:,.0f} MiB free",
        "Use a smaller batch, recompute=True, mixed precision, attention='chunked' or fewer "
        "latents.",
    )  # fmt: skip


def _speed(first, seconds, examples):
    rate = examples / seconds
    told = f"{rate:,.3g} examples a second in steps of {examples}"
    if first.batches is not None:
        epoch = first.batches * first.batch_size / rate
        told += f"; an epoch of {first.batches:,} batches takes about {_time(epoch)}"
    found = [Finding("speed", True, told)]
    if first.seconds is not None:
        step = first.batch_size / rate
        found.append(
            Finding(
                "pipeline",
                first.seconds <= step,
                f"a batch is read in {first.seconds * 1e3:.3g} ms, trained in {step * 1e3:.3g} ms",
                "Training waits for data: use cache(), prefetch(tf.data.AUTOTUNE) and "
                "map(..., num_parallel_calls=tf.data.AUTOTUNE).",
            )  # fmt: skip
        )
    return found


def _time(seconds):
    for size, word in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.3g} seconds"
