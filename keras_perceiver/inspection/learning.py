"""Findings of training a model for some steps on a few examples."""

import time

import keras
import numpy as np

from keras_perceiver.inspection.gradient_recorder import GradientRecorder
from keras_perceiver.inspection.inputs_matter import each_input_matters, masks_mask
from keras_perceiver.inspection.report import Finding
from keras_perceiver.inspection.trial import trial, use_optimizer
from keras_perceiver.inspection.trial_optimizer import in_words, trial_optimizer

LEARNED = 0.5  # of the loss at first, on examples that are seen again and again
STILL = 0.98  # of the loss at first: what an optimizer has hardly moved
ADAM_RATE = 1e-3
# The bias of keys adds the same to all scores of a query, which softmax cancels; the table of
# missing values is used only where some are missing.
MAY_BE_ZERO = ("/key/bias", "/missing_table")


def learning(model, parts, given, steps):
    """What inputs and masks do, gradients, and whether the examples can be learned by heart.

    Weights and optimizer are as before afterwards.

    Args:
        model: A compiled `Perceiver`.
        parts: (inputs, targets) or (inputs, targets, sample weights) of a few examples.
        given: The same inputs as NumPy arrays, by name of the model's input.
        steps: Training steps.

    Returns:
        `Finding`s, and the seconds of a step.
    """
    count = len(next(iter(given.values())))
    own = trial_optimizer(model.optimizer)
    optimizer = keras.optimizers.Adam(ADAM_RATE) if own is None else own
    with trial(model):
        use_optimizer(model, optimizer)
        losses, seconds = _train(model, parts, 3)
        findings = [*each_input_matters(model, given), *masks_mask(model, given)]
        compiled = model.train_function
        findings.append(_gradients(model, parts))
        use_optimizer(model, optimizer, compiled)
        more, later = _train(model, parts, max(1, steps - 3))
    losses += more
    seconds = float(np.median(seconds[1:] + later))  # the first step is traced and compiled
    if own is None or _share_left(losses) <= LEARNED:
        findings.append(_learned(losses, count, optimizer))
        return findings, seconds
    with trial(model):
        adam = keras.optimizers.Adam(ADAM_RATE)
        use_optimizer(model, adam)
        of_adam, _ = _train(model, parts, len(losses))
    if _share_left(of_adam) <= LEARNED:
        findings.append(_learned(of_adam, count, adam))
        findings.append(_optimizer(losses, count, own))
    else:
        findings.append(_learned(losses, count, own))
    return findings, seconds


def _train(model, parts, steps):
    """Losses of some steps on the same examples, and the seconds of each."""
    losses, seconds = [], []
    for _ in range(steps):
        model.reset_metrics()  # Keras tells the mean of the loss since the last reset
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


def _first_and_last(losses):
    # The first steps learn how frequent each target is, which needs no input.
    return min(losses[0], losses[len(losses) // 10]), float(np.median(losses[-3:]))


def _share_left(losses):
    """The part of the loss that is left at the end; infinity if a loss is not finite."""
    if not np.isfinite(losses).all():
        return np.inf
    first, last = _first_and_last(losses)
    return last / first if first > 0 else 1.0


def _told(losses, examples, optimizer):
    first, last = _first_and_last(losses)
    return (
        f"loss {first:.4g} at first, {last:.4g} after {len(losses)} steps on {examples} examples "
        f"with {in_words(optimizer)}"
    )


def _learned(losses, examples, optimizer):
    told = _told(losses, examples, optimizer)
    if not np.isfinite(losses).all():
        remedy = "The loss is not finite: look for NaN in targets or targets out of range."
        return Finding("learns by heart", False, told, remedy)
    return Finding(
        "learns by heart", _share_left(losses) <= LEARNED, told,
        "A model that cannot learn a few examples learns nothing from many: compare targets with "
        "their inputs, look at the findings above, or make the model larger; a few hundred `steps` "
        "tell whether it is only slow.",
    )  # fmt: skip


def _optimizer(losses, examples, optimizer):
    """Of a model that learns with Adam but not with its own optimizer."""
    told, left = _told(losses, examples, optimizer), _share_left(losses)
    if left >= 1:
        remedy = "Training diverges: lower the learning rate, or use `clipnorm`."
        return Finding("optimizer", False, told, remedy)
    if left > STILL:
        return Finding("optimizer", False, told, "It hardly learns: raise the learning rate.")
    return Finding(
        "optimizer", None, told,
        "It learns, but more slowly than Adam: raise the learning rate, unless it is low on "
        "purpose, as for fine-tuning.",
    )  # fmt: skip
