"""What a model costs, known before it is built: parameters, FLOPs, memory of a training step."""

import collections.abc
import dataclasses
import functools
import inspect

import keras

from keras_perceiver import arguments as checks
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.models.descriptions import as_inputs, as_outputs
from keras_perceiver.models.input_cost import input_cost, input_size, own_cost
from keras_perceiver.models.part_cost import PartCost, cross_attention, dense, self_attention
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.grid_queries import GridQueries
from keras_perceiver.outputs.tied_head import TiedHead

_ACCEPTED = {
    name: parameter.default
    for name, parameter in inspect.signature(build_perceiver_io).parameters.items()
}
_WEIGHT_BYTES = 4 * 4  # float32: the weight, its gradient and the two averages of Adam


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a model costs.

    Args:
        parameters: Numbers in all weights, as `model.count_params()`.
        flops: Floating point operations of the matrix products of one forward pass: two for each
            multiply-add.
        activation_bytes: Estimate of the bytes of activations at the peak of a training step.
        training_bytes: `activation_bytes` and 16 bytes for each parameter: float32 weights,
            gradients and the two averages that Adam keeps.
        flops_by_part: `flops` of "inputs", "encoder_cross_attention", "latent_transformer",
            "queries", "decoder" and "heads".
    """

    parameters: int
    flops: int
    activation_bytes: int
    training_bytes: int
    flops_by_part: dict

    def __str__(self):
        return (
            f"{self.parameters:,} parameters, {self.flops / 1e9:.4g} GFLOP forward, about "
            f"{self.training_bytes / 2**20:,.0f} MiB to train"
        )


def costs(model_or_arguments, batch: int = 1) -> Costs:
    """Counts what a model costs, by formulas: no weight is made and nothing is run.

    Attention is taken to be computed the plain way, with all of its weights in memory. The
    estimate of memory holds what the backward pass reads of each block (projections, attention
    weights, norms, hidden layers) and the temporary arrays of the largest block's backward pass.
    Against the peak memory of processes that trained on a CPU it was 0.74 to 1.0 of what four
    models took without XLA, and 1.0 to 1.2 of what two took with it.

    Args:
        model_or_arguments: A model from one of the builders; or a dict of arguments of
            `build_perceiver_io` with at least `inputs` and `outputs`. Arguments that change
            nothing here, such as `optimizer`, may be in it.
        batch: Examples at a time, for FLOPs and memory.

    Returns:
        `Costs`.

    Raises:
        ValueError: if `inputs` or `outputs` is missing, a width is not divisible by its number of
            heads, a size is known only at call time, or `batch` is not at least 1.
        TypeError: if an argument is unknown; names the nearest one.

    Example (the published image classifier, 406 GFLOP):

    >>> costs = kp.costs({"inputs": kp.Image(**kp.presets.IMAGE_FOURIER),
    ...                   "outputs": kp.Classes(1000), "num_latents": 512, "latent_dim": 1024,
    ...                   "num_blocks": 8, "num_self_attends_per_block": 6,
    ...                   "num_self_attention_heads": 8})
    >>> costs.parameters
    48440627

    Reference: Perceiver IO (arXiv 2107.14795), tables 1 and 7.
    """
    batch = checks.whole_number("batch", batch)
    given = _arguments(model_or_arguments)
    readers = as_inputs(given["inputs"])
    outputs = as_outputs(given["outputs"], readers)
    policy = keras.dtype_policies.get(given["dtype"] or keras.config.dtype_policy())
    parts = _parts(readers, outputs, given)
    whole = sum(parts.values(), PartCost())
    number_size = 2 if "16" in policy.compute_dtype else 4
    activation_bytes = whole.bytes(batch, number_size)
    return Costs(
        parameters=whole.parameters,
        flops=batch * whole.flops,
        activation_bytes=activation_bytes,
        training_bytes=activation_bytes + _WEIGHT_BYTES * whole.parameters,
        flops_by_part={name: batch * part.flops for name, part in parts.items()},
    )


def _arguments(model_or_arguments):
    """Every argument of `build_perceiver_io`, with its default where none is given."""
    if isinstance(model_or_arguments, Perceiver):
        config = model_or_arguments.get_config()
        given = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("inputs", "outputs", "dtype")
        }
        known = {name: value for name, value in config.items() if name in _ACCEPTED}
        return {**_ACCEPTED, **known, **given}
    if not isinstance(model_or_arguments, collections.abc.Mapping):
        raise ValueError(
            "`model_or_arguments` must be a model from one of the builders, or a dict of "
            f"arguments of build_perceiver_io. Received: {type(model_or_arguments).__name__}"
        )
    for name in ("inputs", "outputs"):
        if name not in model_or_arguments:
            raise ValueError(
                f"`model_or_arguments` must have the entry {name!r}. Received: entries "
                f"{sorted(model_or_arguments)}"
            )
    _know(**model_or_arguments)
    return {**_ACCEPTED, **model_or_arguments}


@checks.explain_unknown
@functools.wraps(build_perceiver_io)
def _know(*args, **kwargs):
    """Raises TypeError at the first argument that the builder does not have."""


def _parts(readers, outputs, given):
    """A `PartCost` for each part of the model, for one example."""
    num_latents, latent_dim = given["num_latents"], given["latent_dim"]
    for name in ("num_latents", "latent_dim", "num_cross_attends", "num_blocks"):
        checks.whole_number(name, given[name])
    sizes = {name: input_size(name, reader) for name, reader in readers.items()}
    reading = sum((input_cost(name, reader) for name, reader in readers.items()), PartCost())
    joined, num_inputs, input_dim = _joined(sizes, given["min_input_padding"], given["mask_probs"])
    widths = {name: given[name] for name in ("qk_channels", "v_channels", "attention_dropout")}
    cross = cross_attention(
        num_latents,
        latent_dim,
        num_inputs,
        input_dim,
        num_heads=given["num_cross_attention_heads"],
        widening_factor=given["cross_attention_widening_factor"],
        **widths,
    )
    layer = self_attention(
        num_latents,
        latent_dim,
        num_heads=given["num_self_attention_heads"],
        widening_factor=given["self_attention_widening_factor"],
        **widths,
    )
    layers, blocks = given["num_self_attends_per_block"], given["num_blocks"]
    transformer = PartCost(parameters=layers * layer.parameters) + layer.again(layers * blocks)
    latents = PartCost(parameters=num_latents * latent_dim)
    return {
        "inputs": reading + joined + latents,
        "encoder_cross_attention": _repeated(cross, given, "share_cross_attends"),
        "latent_transformer": _repeated(transformer, given, "share_latent_transformers"),
        **_decoding(readers, outputs, given),
    }


def _repeated(part, given, share):
    """A part run `num_cross_attends` times, with one set of weights, two, or one each."""
    times = given["num_cross_attends"]
    sets = 1 if given[share] else times
    if share == "share_cross_attends" and given[share] and not given["share_first_cross_attend"]:
        sets = min(2, times)
    return PartCost(parameters=sets * part.parameters) + part.again(times)


def _decoding(readers, outputs, given):
    latent_dim = given["latent_dim"]
    sizes, asking = {}, PartCost()
    for key, output in outputs.items():
        if not output.pools_latents:
            sizes[key], cost = _queries(key, output, readers, latent_dim)
            asking += cost
    decoder, width = PartCost(), None
    if sizes:
        joined, num_queries, width = _joined(sizes, given["min_query_padding"], None)
        asking += joined
        decoder = cross_attention(
            num_queries,
            width,
            given["num_latents"],
            latent_dim,
            num_heads=given["num_decoder_heads"],
            qk_channels=given["decoder_qk_channels"],
            v_channels=given["decoder_v_channels"],
            attention_dropout=given["attention_dropout"],
        )
        if given["decoder_output_dim"] is not None:
            decoder += dense(num_queries, width, given["decoder_output_dim"])
            width = given["decoder_output_dim"]
    heads = PartCost()
    for key, output in outputs.items():
        rows, head_width = (sizes[key][0], width) if key in sizes else (1, latent_dim)
        heads += _head(output.head_layer(key, readers, None), rows, head_width)
    return {"queries": asking, "decoder": decoder, "heads": heads}


def _queries(key, output, readers, latent_dim):
    """((num_queries, query_dim), PartCost) of one output."""
    layer = output.query_layer(key, readers, latent_dim, None)
    sources = output.sources(key, readers)
    if layer is None:  # the queries are an input, read once more
        name = output.input if output.input is not None else next(iter(readers))
        rows, width = input_size(name, readers[name])
        return (rows, width), own_cost(readers[name]).again(1) + PartCost(kept=rows * width)
    parameters = 0
    if isinstance(layer, LearnedArray):
        rows, width = layer.length, layer.dim
        parameters = rows * width
    elif isinstance(layer, GridQueries):
        rows, width = layer.compute_output_spec(keras.KerasTensor((None, 1))).shape[1:]
    elif isinstance(layer, FourierEncoding):
        (points,) = sources.values()
        rows, width = layer.compute_output_shape(points.shape)[1:]
    else:
        raise ValueError(
            "The costs of this kind of queries are not known. Received: "
            f"outputs[{key!r}]={type(output).__name__}, with queries by {type(layer).__name__}"
        )
    rows = output.num_decoded or rows
    if rows is None:
        raise ValueError(
            f"`outputs[{key!r}]` must have a number of queries known before call time, for its "
            f"costs. Received: {type(output).__name__} with a size of None"
        )
    return (rows, width), PartCost(parameters=parameters, kept=rows * width)


def _head(layer, rows, width):
    if isinstance(layer, TiedHead):
        total = PartCost(parameters=layer.vocab_size)  # the bias; the table belongs to the input
        if width != layer.dim:
            total += dense(rows, width, layer.dim)
        return total + dense(rows, layer.dim, layer.vocab_size, bias=False).again(1)
    total = PartCost()
    if layer.hidden_dim is not None:
        total += dense(rows, width, layer.hidden_dim)
        width = layer.hidden_dim
    return total + dense(rows, width, layer.output_dim)


def _joined(sizes, min_padding, mask_probs):
    """(PartCost, length, width) of arrays as one: those of `CommonWidth` if there are several."""
    if len(sizes) == 1:
        ((length, width),) = sizes.values()
        return PartCost(), length, width
    width = max(own for _, own in sizes.values()) + min_padding
    length = sum(rows for rows, _ in sizes.values())
    parameters = sum(width - own for _, own in sizes.values())
    if mask_probs:
        parameters += len(sizes) * width
    return PartCost(parameters=parameters, kept=length * width), length, width
