"""Is a model ready for a long training on these data?"""

import keras

from keras_perceiver import arguments
from keras_perceiver.inspection.batches import FirstBatches
from keras_perceiver.inspection.inputs_matter import inputs_in_range
from keras_perceiver.inspection.learning import learning
from keras_perceiver.inspection.machine import free_bytes
from keras_perceiver.inspection.report import Finding, Report
from keras_perceiver.inspection.trial import trial
from keras_perceiver.models.costs import costs
from keras_perceiver.models.perceiver import Perceiver


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
    - learns by heart: `examples` examples, seen `steps` times, halve the loss with the model's own
      optimizer, at the largest rate of its schedule; if they do not, with Adam at 1e-3, which tells
      a bad rate from data that cannot be learned;
    - memory: the estimate of `kp.costs` for a batch fits into what is free. If `examples` examples
      do not fit, nothing is trained;
    - speed: examples a second, the time of an epoch, and whether the pipeline keeps up.

    It takes about the time of `steps` training steps, or of twice as many. The model and its
    optimizer are as before afterwards.

    Args:
        model: A compiled `Perceiver`.
        data: The training data: a tuple of arrays `(x, y)` or `(x, y, sample_weight)`, or a
            pipeline of such batches. A pipeline is read from its start.
        examples: How many examples are looked at and learned by heart.
        steps: Training steps on these examples.
        batch_size: Examples of a training step, if `data` are arrays.
        memory: Bytes that the training may take, such as the memory of an accelerator. Default:
            what is free of this machine's main memory, and of a container's limit.

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
    memory_finding, fits = _memory(model, first.batch_size, count, memory)
    if not fits:
        return Report(model.name, (*findings, memory_finding))
    with trial(model):
        if any(getattr(one, "normalize", False) for one in model.input_descriptions.values()):
            model.adapt(first.parts[0])
        asked, seconds = learning(model, first.parts, given, steps)
        findings += asked
    findings.append(memory_finding)
    findings += _speed(first, seconds, count)
    return Report(model.name, tuple(findings))


def _memory(model, batch_size, examples, memory):
    """A `Finding` for a batch, and whether a training step on the examples fits."""
    try:
        needed, here = (costs(model, n).training_bytes for n in (batch_size, examples))
    except ValueError:
        return Finding("memory", None, "sizes are known only at call time, so no estimate"), True
    free = free_bytes() if memory is None else memory
    told = f"about {needed / 2**20:,.0f} MiB for batches of {batch_size}"
    if free is None:
        return Finding("memory", None, told, "Give `memory`, in bytes, to compare with."), True
    told, fits = f"{told}, {free / 2**20:,.0f} MiB free", here <= free
    if not fits:
        told += f"; {here / 2**20:,.0f} MiB for {examples} examples, so nothing was trained here"
    remedy = "Use a smaller batch, recompute=True, mixed precision, attention='chunked' or fewer "
    return Finding("memory", fits and needed <= free, told, f"{remedy}latents."), fits


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
