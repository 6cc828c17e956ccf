"""Quantization of kernels to int8."""

from keras_perceiver.finetuning import changes


def quantize(model):
    """Quantizes the kernels of all dense layers to int8, with one scale per column.

    Nearly all weights of a Perceiver are in dense layers, so memory and files shrink to about a
    quarter. Tables (latents, queries, embeddings, learned positions), norms and biases are not
    changed. Quantized kernels cannot be trained, but LoRA matrices on top of them can (call
    `enable_lora` afterwards). The model is changed in place and compiled again.

    Args:
        model: A model from one of the builders. Its LoRA matrices stay in floating point.

    Returns:
        The same model.

    Raises:
        ValueError: if the model is not from a builder or is in int8 already.

    Example:

    >>> kp.finetuning.quantize(model)
    >>> kp.finetuning.save(model, "small.npz")  # `model.save` cannot be loaded again
    """
    changes.require_perceiver(model)
    layers = changes.dense_layers(model)
    done = [layer for layer in layers if layer.quantization_mode is not None]
    if done:
        raise ValueError(
            f"`model` must be in floating point. Received: a model with {len(done)} layers in "
            f"{done[0].quantization_mode}"
        )
    changes.round_kernels(layers)
    changes.compile_again(model)
    return model
