"""What LoRA trained, as a small file beside the model it was trained on."""

import keras

from keras_perceiver.finetuning import archive, changes


def save_adapters(model, path):
    """Writes only what is trained: the LoRA matrices and, if they are trained, the heads.

    Args:
        model: A model on which `enable_lora` was called.
        path: File to write, by custom `.npz`.

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
    """Gives a model the LoRA matrices and heads of a file, in place.

    Args:
        model: The model they were trained on, before `enable_lora`; in int8 if it was in int8.
        path: File written by `save_adapters`.

    Returns:
        The same model, compiled again with a fresh optimizer, trained where the saved one was.

    Raises:
        ValueError: if there is no such file, it is something else, it does not fit the model, or
            the model has LoRA already.

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
            f"`model` must have {len(wanted['int8'])} layers in int8, as the one that was saved. "
            f"Received: a model with {len(have['int8'])}"
        )
    if set(arrays) != set(wanted["trained"]):
        differing = sorted(set(arrays) ^ set(wanted["trained"]))
        raise ValueError(
            "`path` must hold every array that was trained. Received: "
            f"{str(path)!r}, which differs in {differing[:3]}"
        )
    # On a copy first: what cannot be loaded must leave the model as it was.
    copy = type(model).from_config(model.get_config())
    changes.repeat(copy, have)
    for one in (copy, model):
        changes.repeat(one, {**wanted, "int8": []})
        archive.assign(changes.named_variables(one), arrays, path)
    changes.compile_again(model)
    return model
