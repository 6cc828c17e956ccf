"""The cost of a model before it is built: parameters, FLOPs, memory of a training step."""

import collections.abc
import dataclasses
import inspect

from keras_perceiver import arguments as checks
from keras_perceiver.layers.part_cost import PartCost, cross_attention, dense, self_attention
from keras_perceiver.layers.precision import dtype_policy
from keras_perceiver.layers.ways import separable_inputs
from keras_perceiver.models.chosen_sizes import chosen_inputs, chosen_sizes, given_sizes
from keras_perceiver.models.computed_flops import planned_ways, saved_flops, ways_of
from keras_perceiver.models.descriptions import as_inputs, as_outputs
from keras_perceiver.models.memory_of_ways import decoder_memory, encoder_memory, latent_memory
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.models.sizes import Sizes

_WEIGHT_BYTES = 4 * 4  # float32: the weight, its gradient and Adam's two moving averages


@dataclasses.dataclass(frozen=True)
class Costs:
    """The cost of a model.

    Args:
        parameters: Number of parameters, as in `model.count_params()`.
        flops: Floating-point operations of the matrix products in one forward pass as the papers
            compute it: two for each multiply-add.
        activation_bytes: Estimate of the bytes of activations at the peak of a training step, for
            the way in which attention is computed.
        training_bytes: `activation_bytes` plus 16 bytes for each parameter: float32 weights,
            gradients and Adam's two moving averages; and 4 bytes for each further run of the same
            weights, whose gradients are added only when all are computed.
        computed_flops: The same for the way in which a built model computes attention here, which
            does not make keys and values of a grid; None for a dict of arguments.
        ways: The way of "encoder" and "decoder" attention; see `keras_perceiver.layers.ways`.
        flops_by_part: `flops` of "inputs", "encoder_cross_attention", "latent_transformer",
            "queries", "decoder" and "heads".
        parameters_by_part: `parameters` of the same parts.
        activation_bytes_by_part: The bytes of activations that these parts keep for the backward
            pass; `activation_bytes` also has the temporary arrays of the largest block.
    """

    parameters: int
    flops: int
    activation_bytes: int
    training_bytes: int
    flops_by_part: dict
    computed_flops: int | None = None
    ways: dict | None = None
    parameters_by_part: dict = dataclasses.field(default_factory=dict)
    activation_bytes_by_part: dict = dataclasses.field(default_factory=dict)

    def __str__(self):
        ours = ""
        if self.computed_flops is not None and self.computed_flops != self.flops:
            ours = f" ({self.computed_flops / 1e9:.4g} as computed here)"
        return (
            f"{self.parameters:,} parameters, {self.flops / 1e9:.4g} GFLOP forward{ours}, about "
            f"{self.training_bytes / 2**20:,.0f} MiB to train"
        )


def costs(model_or_arguments, batch: int = 1) -> Costs:
    """Computes the cost of a model from formulas, without creating weights or running anything.

    The memory estimate contains the arrays that the backward pass uses (projections, norms, hidden
    layers, the scores of plain attention) and the temporary arrays in the backward pass of the
    largest block. It follows the way of attention: chunks keep no scores, separable attention keeps
    no keys, values and positions, `recompute=True` keeps one array of each layer. Chunks have the
    size of the current device. Not counted are the program itself, fused kernels of a GPU, and what
    XLA saves. It
    was compared with the peak memory of training processes on a CPU without XLA, in
    benchmarks/results/costs.md: the ratio is 0.75 to 1.25 for each way of attention. It is lower,
    0.7 to 0.95, with `recompute=True`, whose memory depends on the order in which TensorFlow runs.

    Args:
        model_or_arguments: A model from one of the builders; or a dict of arguments of
            `build_perceiver_io` with at least `inputs` and `outputs`. It may contain arguments that
            do not affect the cost, such as `optimizer`.
        batch: Batch size, for FLOPs and memory.

    Returns:
        `Costs`.

    Raises:
        ValueError: if `inputs` or `outputs` is missing, a width is not divisible by its number of
            heads, a size is known only at call time, or `batch` is not at least 1.
        TypeError: if an argument is unknown; suggests the closest known argument.

    Example (the published image classifier, 406 GFLOP):

    >>> costs = kp.costs({"inputs": kp.Image(224, 224, num_bands=64),
    ...                   "outputs": kp.Classes(1000), "num_latents": 512, "latent_dim": 1024,
    ...                   "num_blocks": 8, "num_self_attends_per_block": 6,
    ...                   "num_self_attention_heads": 8})
    >>> costs.parameters
    48440627

    Reference: Perceiver IO (arXiv 2107.14795), tables 1 and 7.
    """
    batch = checks.whole_number("batch", batch)
    inputs, outputs, sizes, dtype = _described(model_or_arguments)
    built = model_or_arguments if isinstance(model_or_arguments, Perceiver) else None
    ways = planned_ways(inputs, outputs, sizes) if built is None else ways_of(built)
    parts, read, asked, run_again = _parts(inputs, outputs, sizes, ways, batch)
    whole = sum(parts.values(), PartCost())
    number_size = {"float16": 2, "bfloat16": 2, "float64": 8}.get(dtype.compute_dtype, 4)
    activation_bytes = whole.bytes(batch, number_size)
    return Costs(
        parameters=whole.parameters,
        flops=batch * whole.flops,
        activation_bytes=activation_bytes,
        training_bytes=activation_bytes + _WEIGHT_BYTES * whole.parameters + 4 * run_again,
        flops_by_part={name: batch * part.flops for name, part in parts.items()},
        computed_flops=built and batch * (whole.flops - saved_flops(built, ways, read, asked)),
        ways=ways,
        parameters_by_part={name: part.parameters for name, part in parts.items()},
        activation_bytes_by_part={
            name: part._replace(largest=0, chunk=0).bytes(batch, number_size)
            for name, part in parts.items()
        },
    )


def _described(model_or_arguments):
    """Bound inputs, bound outputs, `Sizes` and dtype policy."""
    if isinstance(model_or_arguments, Perceiver):
        model = model_or_arguments
        dtype = model.encoder.get_layer("latents").dtype_policy
        return model.input_descriptions, model.output_descriptions, model.sizes, dtype
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
    accepted = inspect.signature(build_perceiver_io).parameters
    checks.check_known("build_perceiver_io", model_or_arguments, accepted)
    names = [field.name for field in dataclasses.fields(Sizes)]
    given = given_sizes(**{k: v for k, v in model_or_arguments.items() if k in names})
    given.setdefault("initialization", "local")
    described = chosen_inputs(model_or_arguments["inputs"], given, model_or_arguments["outputs"])
    chosen = chosen_sizes(described, model_or_arguments["outputs"], given)
    sizes = Sizes(**{**{key: value for key, (value, _) in chosen.items()}, **given})
    dtype = dtype_policy(model_or_arguments.get("dtype"))
    inputs = as_inputs(described)
    sizes.check_mask_probs(inputs)
    outputs = as_outputs(model_or_arguments["outputs"], inputs, sizes.latent_dim)
    return inputs, outputs, sizes, dtype


def _parts(inputs, outputs, sizes, ways, batch):
    """A `PartCost` for each part; (length, width) of inputs and queries; weights run again."""
    shapes, reading = {}, PartCost()
    for name, one in inputs.items():
        shapes[name] = (_known(f"inputs[{name!r}]", one, one.largest_num_inputs()), one.input_dim)
        reading += one.cost()
    joined, num_inputs, input_dim = _joined(shapes, sizes.min_input_padding, sizes.mask_probs)
    apart = separable_inputs(inputs, sizes) if ways["encoder"] == "separable" else set()
    if apart:
        joined = joined._replace(kept=0)
    for name, (length, width) in shapes.items():
        if name in apart:
            reading += PartCost(kept=length * inputs[name].stem_shape()[-1])
        elif apart or len(shapes) == 1:
            reading += PartCost(kept=length * (width if len(shapes) == 1 else input_dim))
    widths = {
        "qk_channels": sizes.qk_channels,
        "v_channels": sizes.v_channels,
        "attention_dropout": sizes.attention_dropout,
    }
    cross = cross_attention(
        sizes.num_latents,
        sizes.latent_dim,
        num_inputs,
        input_dim,
        num_heads=sizes.num_cross_attention_heads,
        widening_factor=sizes.cross_attention_widening_factor,
        memory=encoder_memory(inputs, shapes, apart, (num_inputs, input_dim), sizes, ways, batch),
        **widths,
    )
    layer = self_attention(
        sizes.num_latents,
        sizes.latent_dim,
        num_heads=sizes.num_self_attention_heads,
        widening_factor=sizes.self_attention_widening_factor,
        memory=latent_memory(sizes, batch),
        **widths,
    )
    if sizes.recompute:
        layer = layer.recomputed(kept=sizes.num_latents * sizes.latent_dim)
    layers, blocks = sizes.num_self_attends_per_block, sizes.num_blocks
    transformer = PartCost(parameters=layers * layer.parameters) + layer.repeated(layers * blocks)
    latents = PartCost(parameters=sizes.num_latents * sizes.latent_dim)
    times = sizes.num_cross_attends
    cross_sets = times if not sizes.share_cross_attends else min(times, 2)
    if sizes.share_cross_attends and sizes.share_first_cross_attend:
        cross_sets = 1
    decoding, asked = _decoding(outputs, sizes, ways, batch)
    parts = {
        "inputs": reading + joined + latents,
        "encoder_cross_attention": _repeated(cross, times, cross_sets),
        "latent_transformer": _repeated(
            transformer, times, 1 if sizes.share_latent_transformers else times
        ),
        **decoding,
    }
    transformer_sets = 1 if sizes.share_latent_transformers else times
    run_again = (times - cross_sets) * cross.parameters
    run_again += (times * blocks - transformer_sets) * layers * layer.parameters
    return parts, (num_inputs, input_dim), asked, run_again


def _repeated(part, times, sets):
    """The cost of a part that runs `times` times, with `sets` sets of weights."""
    return PartCost(parameters=sets * part.parameters) + part.repeated(times)


def _decoding(outputs, sizes, ways, batch):
    shapes, asking = {}, PartCost()
    for key, output in outputs.items():
        if not output.pools_latents:
            rows = _known(f"outputs[{key!r}]", output, output.rows_asked)
            shapes[key] = (rows, output.query_dim)
            asking += output.query_cost()
    decoder, width, asked = PartCost(), None, None
    if shapes:
        joined, num_queries, width = _joined(shapes, sizes.min_query_padding, None)
        if ways["decoder"] == "separable":
            asking = asking._replace(kept=0)
        asking, asked = asking + joined, (num_queries, width)
        decoder = cross_attention(
            num_queries,
            width,
            sizes.num_latents,
            sizes.latent_dim,
            num_heads=sizes.num_decoder_heads,
            qk_channels=sizes.decoder_qk_channels,
            v_channels=sizes.decoder_v_channels,
            attention_dropout=sizes.attention_dropout,
            memory=decoder_memory(outputs, (num_queries, width), sizes, ways, batch),
        )
        if sizes.decoder_output_dim is not None:
            decoder += dense(num_queries, width, sizes.decoder_output_dim)
            width = sizes.decoder_output_dim
    heads = PartCost()
    for key, output in outputs.items():
        heads += output.head_cost(width if key in shapes else sizes.latent_dim)
    return {"queries": asking, "decoder": decoder, "heads": heads}, asked


def _known(name, described, size):
    if size is None:
        raise ValueError(
            f"`{name}` must have sizes known before call time to compute its cost. Received: "
            f"{type(described).__name__} with a size of None"
        )
    return size


def _joined(shapes, min_padding, mask_probs):
    """(PartCost, length, width) of the joined array; several arrays are joined by `CommonWidth`."""
    if len(shapes) == 1:
        ((length, width),) = shapes.values()
        return PartCost(), length, width
    width = max(own for _, own in shapes.values()) + min_padding
    length = sum(rows for rows, _ in shapes.values())
    parameters = sum(width - own for _, own in shapes.values())
    if mask_probs:
        parameters += len(shapes) * width
    return PartCost(parameters=parameters, kept=length * width), length, width
