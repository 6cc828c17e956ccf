"""Sizes that the builders choose from the shapes of the data, where the user does not say."""

from keras_perceiver.layers.ways import FEW_INPUTS
from keras_perceiver.models.descriptions import as_inputs, as_outputs
from keras_perceiver.models.sizes import Sizes


def chosen_sizes(inputs, outputs, given):
    """What is chosen, and why.

    Args:
        inputs, outputs: As builders take them.
        given: The arguments of `Sizes` that the user gave; these always win. With
            `initialization="papers"` nothing is chosen.

    Returns:
        {argument: (value, reason)}

    Raises:
        ValueError: if an argument is out of range.
    """
    Sizes(**given)
    found = {}

    def choose(name, value, reason):
        if name not in given:
            found[name] = (value, reason)

    if given.get("initialization", "local") == "papers":
        return {}
    choose("initialization", "local", "attention that starts local leaves the plateau sooner")
    readers = list(as_inputs(inputs).values())
    defaults = Sizes()
    width = given.get("latent_dim", defaults.latent_dim)
    answers = as_outputs(outputs, as_inputs(inputs), width)
    choose(
        "num_self_attends_per_block",
        2,
        "on small data two layers learn as much a step as four, in half of the time",
    )
    attention = given.get("attention", "auto")
    if attention in ("auto", "plain") and len(readers) == 1 and _few(readers[0].num_inputs):
        _choose_heads(choose, readers[0], width, given)
    asked = [one.num_queries for one in answers.values() if not one.pools_latents]
    dense = [number for number in asked if number != 1]
    if attention in ("auto", "plain") and dense and all(_few(number) for number in dense):
        _choose_decoder_heads(choose, width, given)
    return found


def _choose_heads(choose, reader, width, given):
    heads = 8 if len(reader.grid or ()) > 1 else 4
    if {"num_cross_attention_heads", "qk_channels", "v_channels"} & set(given):
        return
    if width % heads or width % given.get("num_self_attention_heads", 1):
        return
    reason = "heads read places beside each other, whose arrangement one mean would lose"
    choose("num_cross_attention_heads", heads, reason)
    if reader.input_dim < width or reader.input_dim % heads:
        reason = f"{reader.input_dim} channels of inputs are few for {heads} heads"
        choose("qk_channels", width, reason)


def _choose_decoder_heads(choose, width, given):
    if {"num_decoder_heads", "decoder_qk_channels", "decoder_v_channels"} & set(given):
        return
    if width % 4 == 0:
        reason = "heads of a query find latents of places beside each other"
        choose("num_decoder_heads", 4, reason)


def _few(count):
    """Whether plain attention of several heads is cheap; more are better read separably."""
    return count is not None and 1 < count < FEW_INPUTS
