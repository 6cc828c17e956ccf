"""Saves the weights trained with LoRA to a small file, separate from the base model."""

import keras

from keras_perceiver.finetuning import archive, changes


def save_adapters(model, path):
    """Writes only the trainable weights: the LoRA matrices and, if they are trained, the heads.

    Args:
        model: A model on which `enable_lora` was called.
        path: File to write, usually with the suffix `.npz`.

    Raises:
        ValueError: if the model has no LoRA, or the folder does not exist.

    Example:

    >>> kp.finetuning.save_adapters(model, "french.npz")
    >>> french = kp.finetuning.load_adapters(keras.models.load_model("base.keras"), "french.npz")
    """
    changes.require_perceiver(model)
    path = archive.place(path)
    about = {"kind": "save_adapters", "changes": changes.described(model)}
    if not about["changes"]["lora"]:
        raise ValueError("`model` must have LoRA. Received: a model without")
    arrays = {
        name: keras.ops.convert_to_numpy(variable.value)
        for name, variable in changes.named_variables(model).items()
        if variable.trainable
    }
    archive.write(path, about, arrays)


def load_adapters(model, path):
    """Loads the LoRA matrices and heads of a file into a model, in place.

    Args:
        model: The base model with which they were trained, without LoRA; in int8 if it was in int8.
        path: File written by `save_adapters`.

    Returns:
        The same model, compiled again with a new optimizer. The weights that were trainable in the
        saved model are trainable.

    Raises:
        ValueError: if the file does not exist, is not a file of `save_adapters` or does not fit the
            model, or if the model has LoRA already.

    Example:

    >>> model = kp.finetuning.load_adapters(model, "french.npz")
    """
    changes.require_perceiver(model)
    about, arrays = archive.read(path, "save_adapters")
    have, wanted = changes.described(model), changes.checked(about, model, path)
    if have["lora"]:
        raise ValueError("`model` must have no LoRA yet. Received: a model with LoRA")
    if have["int8"] != wanted["int8"]:
        raise ValueError(
            f"`model` must have {len(wanted['int8'])} layers in int8, as the saved model has. "
            f"Received: a model with {len(have['int8'])}"
        )
    if set(arrays) != set(wanted["trained"]):
        differing = sorted(set(arrays) ^ set(wanted["trained"]))
        raise ValueError(
            "`path` must hold every array that was trained. Received: "
            f"{str(path)!r}, which differs in {differing[:3]}"
        )
    # Try it on a copy first, so that a file that cannot be loaded leaves the model unchanged.
    copy = type(model).from_config(model.get_config())
    changes.repeat(copy, have)
    for one in (copy, model):
        changes.repeat(one, {**wanted, "int8": []})
        archive.assign(changes.named_variables(one), arrays, path)
    changes.compile_again(model)
    return model
