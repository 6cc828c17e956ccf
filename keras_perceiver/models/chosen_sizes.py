"""What the builders choose from the shapes of the data, where the user does not say.

Every choice is one that measurements support: docs/initial_values.md has the tables.
"""

from keras_perceiver.inputs.array import Array
from keras_perceiver.inputs.image import Image
from keras_perceiver.inputs.series import Series
from keras_perceiver.inputs.table import Table
from keras_perceiver.inputs.text import Text
from keras_perceiver.layers.ways import FEW_INPUTS
from keras_perceiver.models.descriptions import as_inputs, as_outputs
from keras_perceiver.models.sizes import Sizes
from keras_perceiver.outputs.per_input import PerInput

LEAST_SIDE = 12  # of what is read through a convolution: three cells
MOST_LATENTS = 128
FEW_QUERIES = 2**14  # more are decoded with one head, which may be separable
CHOSEN = (
    "num_latents",
    "latent_dim",
    "num_self_attends_per_block",
    "num_cross_attention_heads",
    "qk_channels",
    "num_decoder_heads",
)


def given_sizes(**sizes):
    """Those of some arguments of `Sizes` that the user gave: None leaves the choice to us."""
    return {k: v for k, v in sizes.items() if v is not None or k not in CHOSEN}


def chosen_inputs(inputs, options, outputs=None):
    """`inputs` of a builder, with descriptions in place of bare shapes.

    Args:
        inputs: As builders take them.
        options: The builder's other arguments. With `initialization="papers"`, or `attention=`
            "separable" or "chunked", which are for many inputs, nothing is chosen.
        outputs: As builders take them. An answer for each input keeps the inputs as they are.

    Returns:
        The same, but for each bare shape an input that standardises its values: an `Image` for
        (height, width, channels) and a `Series` for (length, channels), with a small convolution
        whose cells are 4 pixels or steps wide, otherwise an `Array`.
    """
    many = options.get("attention", "auto") not in ("auto", "plain")
    if options.get("initialization", "local") == "papers" or many:
        return inputs
    answers = outputs.values() if isinstance(outputs, dict) else [outputs]
    apart = any(isinstance(one, PerInput) for one in answers)
    if isinstance(inputs, dict):
        return {key: _described(value, apart) for key, value in inputs.items()}
    return _described(inputs, apart)


def stem_choice(given, chosen):
    """{argument: (description, reason)} of what `chosen_inputs` changed."""
    if not isinstance(given, dict):
        return {} if chosen is given else {"inputs": _reasoned(chosen)}
    changed = (key for key in given if chosen[key] is not given[key])
    return {f"inputs[{key!r}]": _reasoned(chosen[key]) for key in changed}


def _reasoned(described):
    sizes = ", ".join(str(size) for size in described.shape)
    measured = "`fit` measures means and deviations, by which values are standardised"
    if isinstance(described, Array):
        return f"Array(({sizes}), normalize=True)", measured
    stem = "" if isinstance(described, Series) else "stem='conv', stem_norm='group', "
    what = "4 steps" if isinstance(described, Series) else "4 x 4 pixels"
    reason = f"a small convolution learns patterns from few examples; its cells are {what}; "
    return f"{type(described).__name__}({sizes}, {stem}normalize=True)", reason + measured


def _described(value, apart):
    known = isinstance(value, (tuple, list)) and all(isinstance(size, int) for size in value)
    if not known or len(value) < 2 or min(value) < 1:
        return value
    if apart or len(value) > 3 or min(value[:-1]) < LEAST_SIDE:
        return Array(tuple(value), normalize=True)
    if len(value) == 2:
        return Series(*value, normalize=True)
    return Image(*value, stem="conv", stem_norm="group", normalize=True)


def chosen_sizes(inputs, outputs, given):
    """Which sizes are chosen, and why.

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
    if given.get("initialization", "local") == "papers":
        return {}
    found = {}
    readers = as_inputs(inputs)
    width = given.get("latent_dim", Sizes().latent_dim)
    answers = list(as_outputs(outputs, readers, width).values())
    only = next(iter(readers.values())) if len(readers) == 1 else None
    if only is not None and _is_small(only, answers):
        found.update(_small(given))
    else:
        found.update(_usual(only, answers))
    width = given.get("latent_dim", found.get("latent_dim", (width,))[0])
    if given.get("attention", "auto") in ("auto", "plain"):
        if only is not None and _few(only.num_inputs):
            found.update(_encoder_heads(only, width, given))
        asked = [one.num_queries for one in answers if not one.pools_latents]
        dense = [number for number in asked if number != 1]
        if dense and all(_few(number, FEW_QUERIES) for number in dense):
            found.update(_decoder_heads(width, given))
    return {name: choice for name, choice in found.items() if name not in given}


def decay_choice(model):
    """{"weight_decay": (value, reason)} where another one than usual is chosen, otherwise {}."""
    inputs = model.input_descriptions.values()
    noisy = all(isinstance(one, Table) and one.noise for one in inputs)
    if not noisy or model.sizes.initialization == "papers":
        return {}
    return {"weight_decay": (1.0, "tables of few rows are learned by heart otherwise")}


def _is_small(reader, answers):
    """Whether rows of a table or series are to be classified or measured, often from few rows."""
    single = all(one.num_queries == 1 for one in answers)
    series = len(reader.grid or ()) == 1
    return single and (isinstance(reader, Table) or series)


def _small(given):
    reason = "small tables and sets of series are learned by heart by larger models"
    found = {"num_self_attends_per_block": (1, reason), "num_latents": (16, reason)}
    widths = {"latent_dim", "qk_channels", "v_channels", "num_self_attention_heads"}
    if not widths & set(given):
        found["latent_dim"] = (64, reason)
    return found


def _usual(reader, answers):
    found = {
        "num_self_attends_per_block": (
            2,
            "on small data two layers learn as much a step as four, in half of the time",
        )
    }
    cells = reader.num_inputs if reader is not None else None
    if cells is None:
        return found
    pictures = len(reader.grid or ()) > 1
    dense = any(one.num_queries != 1 for one in answers)
    each = 1 if pictures and dense else 4
    number = min(MOST_LATENTS, max(Sizes().num_latents, cells // each))
    if number != Sizes().num_latents and (pictures or isinstance(reader, Text)):
        reason = f"about one for each {max(each, cells // number)} of {cells} inputs"
        found["num_latents"] = (number, reason)
    return found


def _encoder_heads(reader, width, given):
    heads = 8 if len(reader.grid or ()) > 1 else 4
    if {"num_cross_attention_heads", "qk_channels", "v_channels"} & set(given):
        return {}
    if width % heads or width % given.get("num_self_attention_heads", 1):
        return {}
    reason = "heads read places beside each other, whose arrangement one mean would lose"
    found = {"num_cross_attention_heads": (heads, reason)}
    if reader.input_dim < width or reader.input_dim % heads:
        reason = f"{reader.input_dim} channels of inputs are few for {heads} heads"
        found["qk_channels"] = (width, reason)
    return found


def _decoder_heads(width, given):
    if {"num_decoder_heads", "decoder_qk_channels", "decoder_v_channels"} & set(given):
        return {}
    if width % 4:
        return {}
    return {"num_decoder_heads": (4, "heads of a query find latents of places beside each other")}


def _few(count, limit=FEW_INPUTS):
    """Whether plain attention of several heads is cheap; more are better read separably."""
    return count is not None and 1 < count < limit
