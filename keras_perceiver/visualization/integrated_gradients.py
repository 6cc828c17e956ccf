"""How much each input of an example contributes to an output."""

import keras
import numpy as np
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.inputs.byte_vocabulary import MASK
from keras_perceiver.inputs.perceiver_input import PerceiverInput
from keras_perceiver.inputs.text import Text
from keras_perceiver.models.descriptions import as_given
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.visualization.attention_calls import calls
from keras_perceiver.visualization.attention_maps import chosen_output, grids, tensors_by_name
from keras_perceiver.visualization.gradients import gradients


def integrated_gradients(
    model,
    inputs,
    *,
    output=None,
    query: int = 0,
    target: int | None = None,
    baseline=None,
    steps: int = 32,
):
    """What each input adds to one number of the output, compared with a baseline.

    Attention tells where a model looks; this tells what its answer depends on. The gradient of the
    number is averaged on the straight way from the baseline to the example, and multiplied with the
    difference between them. Contributions are positive or negative and sum to the difference of the
    output between example and baseline, up to the error of `steps`, the midpoint rule.

    The way lies between the arrays that the latents read, so that bytes, categories and pixels are
    treated alike, and contributions have the shape of `attention_maps`. Positions do not differ
    from the baseline and add nothing, except for `Points`, whose coordinates are their content.
    Masks, and what queries take from the inputs (`PerInput`, `Tokens`), stay as they are.

    Args:
        model: A `Perceiver`, such as builders return.
        inputs: A batch of model inputs: an array, or a dict of arrays by name.
        output: Name of the output, if there are several.
        query: Which query of the output, in row-major order.
        target: Which value of the query, such as the number of a class. Default: for each example,
            the largest.
        baseline: Model inputs that tell nothing, of one example or as many as `inputs`. Default:
            zeros, and mask tokens for text. Entries left out are those of the default.
        steps: Gradients on the way.

    Returns:
        {input: NumPy float32 `(batch, *grid)`}

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.

    Example:

    >>> added = kp.visualization.integrated_gradients(model, images, target=7)
    >>> added["image"].shape  # images: (batch, 28, 28, 1)
    (batch, 28, 28)

    Reference: M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks"
    (arXiv 1703.01365).
    """
    if not isinstance(model, Perceiver):
        raise ValueError(
            f"`model` must be a keras_perceiver Perceiver. Received: {type(model).__name__}"
        )
    arguments.whole_number("steps", steps)
    arguments.whole_number("query", query, at_least=0)
    output = chosen_output(model, output)
    values = tensors_by_name(model, inputs)
    batch = next(iter(values.values())).shape[0]
    read, answer = _halves(model, output)
    here = read(values)
    base = read({**values, **_baseline(model, values, baseline, batch)})
    target = _target(answer(list(here.values()), values), query, target)

    def number(arrays):
        rows = answer(arrays, values)[:, query]
        return ops.sum(ops.take_along_axis(rows, target[:, None], axis=1))

    differences = [here[key] - base[key] for key in here]
    sums = [0.0] * len(here)
    for step in range(steps):
        part = (step + 0.5) / steps
        between = [base[key] + part * way for key, way in zip(here, differences)]
        sums = [total + one for total, one in zip(sums, gradients(number, between))]
    lengths = grids(model, values)
    found = {}
    for key, total, way in zip(here, sums, differences):
        product = np.asarray(total, "float32") * ops.convert_to_numpy(ops.cast(way, "float32"))
        found[key] = product.sum(axis=-1).reshape(batch, *lengths[key]) / steps
    return found


def _halves(model, output):
    """Two functions: from raw inputs to the arrays that are read; from these to answers.

    The second takes a list of arrays and the raw inputs, and gives `(batch, queries, values)`.
    """
    encoder, decoder = model.encoder, model.decoder
    nodes = calls(encoder.outputs, PerceiverInput)
    arrays = {node.operation.modality: node.outputs[0] for node in nodes}
    arrays = {key: arrays[model.input_descriptions[key].modality] for key in sorted(arrays)}
    raw = {tensor.name: tensor for tensor in encoder.inputs}
    reader = keras.Model(raw, arrays)
    rest = keras.Model([*arrays.values(), *raw.values()], encoder.outputs[0])

    def read(values):
        return reader({name: values[name] for name in raw})

    def answer(found, values):
        latents = rest([*found, *(values[name] for name in raw)])
        given = {**values, "latents": latents}
        given = {tensor.name: given[tensor.name] for tensor in decoder.inputs}
        results = decoder(as_given(None, given))
        rows = results[output] if isinstance(results, dict) else results
        described = model.output_descriptions[output]
        last = described.output_dim if described.output_dim else rows.shape[-1]
        return ops.reshape(rows, (rows.shape[0], -1, last))

    return read, answer


def _target(rows, query, target):
    """Which value of each example, whole numbers `(batch,)`."""
    if query >= rows.shape[1]:
        raise ValueError(f"`query` must lie in [0, {rows.shape[1]}). Received: query={query}")
    if target is None:
        return ops.argmax(rows[:, query], axis=-1)
    arguments.whole_number("target", target, at_least=0)
    if target >= rows.shape[2]:
        raise ValueError(f"`target` must lie in [0, {rows.shape[2]}). Received: target={target}")
    return ops.full((rows.shape[0],), target, "int32")


def _baseline(model, values, given, batch):
    """Raw inputs of the baseline by name, without masks."""
    defaults = {}
    for one in model.input_descriptions.values():
        empty = ops.zeros_like(values[one.modality])
        defaults[one.modality] = empty + MASK if isinstance(one, Text) else empty
    if given is None:
        return defaults
    if not isinstance(given, dict):
        if len(defaults) > 1:
            raise ValueError(
                f"`baseline` must be a dict with entries of {sorted(defaults)}. Received: "
                f"{type(given).__name__}"
            )
        given = {next(iter(defaults)): given}
    for name, array in given.items():
        if name not in defaults:
            raise ValueError(
                f"`baseline` must have entries of {sorted(defaults)}. Received: {name!r}"
            )
        array = np.asarray(array)
        wanted = tuple(values[name].shape)
        if array.shape[1:] != wanted[1:] or len(array) not in (1, batch):
            raise ValueError(
                f"`baseline[{name!r}]` must have shape {(1, *wanted[1:])} or {wanted}. Received: "
                f"shape {array.shape}"
            )
        defaults[name] = ops.convert_to_tensor(np.broadcast_to(array, wanted), values[name].dtype)
    return defaults
