"""The steps of the data through a model, with their arrays."""

from typing import NamedTuple

from keras_perceiver.models.computed_flops import ways_of

WAYS = {
    "plain": "all scores at once",
    "chunked": "a chunk of scores at a time",
    "folded": "no keys and values of the inputs",
    "separable": "no keys and values of the inputs, positions by axis",
}


class Step(NamedTuple):
    """A step: its name, the shape of its array, and what it does."""

    name: str
    shape: str
    what: str


def data_path(model):
    """The `Step`s of a `Perceiver`, from inputs to outputs."""
    inputs, outputs, sizes = model.input_descriptions, model.output_descriptions, model.sizes
    steps = [_read(name, one) for name, one in inputs.items()]
    ways = ways_of(model)
    if len(inputs) > 1:
        steps.append(Step("inputs", f"M x C = {joined(inputs, sizes)}", "all inputs, one array"))
    latents = f"{sizes.num_latents:,} x {sizes.latent_dim:,}"
    steps += [
        Step("latents", f"N x D = {latents}", "learned, the same for every example"),
        Step("cross-attend", latents, f"{_crosses(sizes)}; {WAYS[ways['encoder']]}"),
        Step("latent Transformer", latents, _transformer(sizes)),
    ]
    for name, output in outputs.items():
        if output.pools_latents:
            steps.append(
                Step(f"mean of latents, {name}", f"1 x {sizes.latent_dim:,}", "no queries")
            )
        else:
            shape = f"O x E = {_number(output.rows_asked)} x {output.query_dim:,}"
            steps.append(Step(f"queries, {name}", shape, type(output).__name__))
    if "decoder" in ways:
        residual = "with" if sizes.use_query_residual else "without"
        heads = _counted(sizes.num_decoder_heads, "head")
        what = f"queries attend to latents, {heads}, {residual} the queries as residual"
        steps.append(Step("decoder", "O x E", f"{what}; {WAYS[ways['decoder']]}"))
    for name, output in outputs.items():
        shape = " x ".join(map(_number, output.asked_shape)) or "1"
        steps.append(Step(f"output {name}", shape, type(output).__name__))
    return steps


def joined(inputs, sizes):
    """Shape of the joined inputs."""
    counts = [one.num_inputs for one in inputs.values()]
    width = max(one.input_dim for one in inputs.values())
    width += sizes.min_input_padding if len(inputs) > 1 else 0
    return f"{_number(None if None in counts else sum(counts))} x {width:,}"


def _read(name, one):
    shape = ", ".join(map(_number, next(iter(one.raw_specs().values()))[0]))
    array = f"{_number(one.num_inputs)} x {one.input_dim:,}"
    what = f"{type(one).__name__} of shape ({shape})"
    positions = getattr(one, "positions", None)
    if positions == "fourier":
        encoding = one.make_fourier()
        what += f", Fourier positions with {encoding.num_bands} bands for each axis"
    elif positions == "learned":
        what += ", learned positions"
    masks = [word for word, has in (("masked", one.masked), ("may be missing", one.may_be_missing))
             if has]  # fmt: skip
    return Step(f"input {name}", f"M x C = {array}", ", ".join([what, *masks]))


def _crosses(sizes):
    heads = _counted(sizes.num_cross_attention_heads, "head")
    count = sizes.num_cross_attends
    if count == 1:
        return f"latents attend to inputs once, {heads}"
    if not sizes.share_cross_attends:
        shared = "each with weights of its own"
    elif sizes.share_first_cross_attend:
        shared = "all with the same weights"
    elif count == 2:
        shared = "each with weights of its own"
    else:
        shared = "the first with weights of its own, the others with the same"
    return f"latents attend to inputs {count} times, {heads}, {shared}"


def _transformer(sizes):
    layers = _counted(sizes.num_self_attends_per_block, "layer")
    heads = _counted(sizes.num_self_attention_heads, "head")
    what = f"{layers}, {heads}"
    if sizes.num_blocks > 1:
        what += f", run {sizes.num_blocks} times with the same weights"
    if sizes.num_cross_attends > 1:
        how = "the same weights" if sizes.share_latent_transformers else "weights of its own"
        what += f", after each cross-attend, with {how}"
    return what


def _counted(number, word):
    return f"{number} {word}{'s' if number > 1 else ''}"


def _number(size):
    return "any" if size is None else f"{size:,}"
