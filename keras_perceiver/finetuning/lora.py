"""LoRA: fine-tuning of a trained model with a few small matrices."""

from keras_perceiver import arguments
from keras_perceiver.finetuning import changes
from keras_perceiver.layers.attention import Attention
from keras_perceiver.layers.convex_upsampling import ConvexUpsampling
from keras_perceiver.layers.feed_forward import FeedForward
from keras_perceiver.outputs.output_head import OutputHead
from keras_perceiver.outputs.tied_head import TiedHead

HEADS = (OutputHead, TiedHead, ConvexUpsampling)
PROJECTIONS = ("query", "key", "value", "output")


def enable_lora(
    model,
    rank: int,
    *,
    alpha: float | None = None,
    projections=PROJECTIONS,
    feed_forward: bool = False,
    train_heads: bool = True,
    learning_rate=None,
):
    """Freezes a model and adds small trainable matrices to its attention layers.

    Each chosen kernel W becomes W + alpha / rank * A B, with A of shape `(width, rank)` and B of
    shape `(rank, units)`. B is initialised to zeros, so the model's outputs do not change before
    training. The model is changed in place and compiled again with a new optimizer that has the
    same settings.

    Args:
        model: A model from one of the builders.
        rank: Rank of the added matrices.
        alpha: Scale of the added term, divided by `rank` as above. Default: `rank`.
        projections: Dense layers of every attention layer that get LoRA matrices: some of "query",
            "key", "value" and "output".
        feed_forward: Whether both layers of every feed-forward block get LoRA matrices too.
        train_heads: Whether the last layers of the outputs are trained as well. This is needed if
            the classes have a new meaning.
        learning_rate: Learning rate of the new optimizer. Default: unchanged. LoRA usually needs a
            larger one.

    Returns:
        The same model.

    Raises:
        ValueError: if the model is not from a builder or has LoRA already, or an argument is out
            of range.

    Example:

    >>> kp.finetuning.enable_lora(model, rank=4, learning_rate=3e-3)
    >>> model.fit(new_data)
    >>> kp.finetuning.save_adapters(model, "new_data.npz")  # only the trained weights

    Reference: E. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models",
    arXiv 2106.09685.
    """
    changes.require_perceiver(model)
    arguments.whole_number("rank", rank)
    arguments.flag("feed_forward", feed_forward)
    arguments.flag("train_heads", train_heads)
    if learning_rate is not None:
        changes.check_learning_rate(learning_rate)
    if alpha is not None:
        arguments.number("alpha", alpha, above=0)
    if isinstance(projections, str):
        projections = (projections,)
    if not isinstance(projections, (tuple, list)):
        raise ValueError(
            f"`projections` must be some of {PROJECTIONS}. Received: projections={projections!r}"
        )
    for name in projections:
        arguments.one_of("projections", name, PROJECTIONS)
    chosen = _chosen(model, projections, feed_forward)
    if not chosen:
        raise ValueError(
            "`projections` must name at least one layer, or `feed_forward` be True. Received: "
            f"projections={tuple(projections)!r}"
        )
    if any(layer.lora_enabled for layer in changes.dense_layers(model)):
        raise ValueError(
            "`model` must have no LoRA yet; kp.finetuning.merge_lora turns a model with LoRA into "
            "an ordinary one. Received: a model with LoRA"
        )
    changes.check_rank(rank, chosen)
    heads = [layer for layer in model._flatten_layers() if isinstance(layer, HEADS)]
    changes.freeze(model, heads if train_heads else [])
    for layer in chosen:
        layer.enable_lora(int(rank), lora_alpha=alpha)
    changes.compile_again(model, learning_rate)
    return model


def merge_lora(model):
    """Merges LoRA into the kernels: returns an ordinary, fully trainable, equivalent model.

    Args:
        model: A model on which `enable_lora` was called, in floating point.

    Returns:
        A new model with the same arguments, compiled in the same way.

    Raises:
        ValueError: if the model has no LoRA, or is in int8.

    Example:

    >>> ordinary = kp.finetuning.merge_lora(model)
    >>> ordinary.save("new.keras")
    """
    changes.require_perceiver(model)
    layers = changes.dense_layers(model)
    if any(layer.quantization_mode for layer in layers):
        raise ValueError(
            "`model` must be in floating point; merge first, then quantize. Received: a model in "
            "int8"
        )
    if not any(layer.lora_enabled for layer in layers):
        raise ValueError("`model` must have LoRA. Received: a model without")
    merged = type(model).from_config(model.get_config())
    variables = changes.named_variables(model)
    for name, variable in changes.named_variables(merged).items():
        variable.assign(variables[name])
    for with_lora, ordinary in zip(layers, changes.dense_layers(merged)):
        ordinary.kernel.assign(with_lora.kernel)
    if model.compiled:
        merged.compile_from_config(model.get_compile_config())
        changes.compile_again(merged)
    return merged


def _chosen(model, projections, feed_forward):
    found = []
    for layer in model._flatten_layers():
        if isinstance(layer, Attention):
            found += [getattr(layer, f"{name}_layer") for name in projections]
        elif feed_forward and isinstance(layer, FeedForward):
            found += [layer.hidden_layer, layer.output_layer]
    return found
