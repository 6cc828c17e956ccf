"""A fine-tuned model as one file."""

import keras

from keras_perceiver import arguments
from keras_perceiver.finetuning import archive, changes
from keras_perceiver.models.perceiver import Perceiver


def save(model, path):
    """Writes a model to one file, with its LoRA matrices, int8 kernels and trainable flags.

    `model.save` merges LoRA into the kernels, and the files it writes after `quantize` cannot be
    loaded; the files of this function can. The state of the optimizer is not saved.

    Args:
        model: A model from one of the builders, fine-tuned or not.
        path: File to write, usually with the suffix `.npz`. An existing file is replaced only after
            the new one is complete.

    Raises:
        ValueError: if the model is not from a builder, or the folder does not exist.

    Example:

    >>> kp.finetuning.save(model, "small.npz")
    >>> model = kp.finetuning.load("small.npz")
    """
    changes.require_perceiver(model)
    path = archive.place(path)
    about = {
        "kind": "save",
        "config": model.get_config(),
        "compile_config": model.get_compile_config() if model.compiled else None,
        "changes": changes.described(model),
    }
    variables = changes.named_variables(model)
    arrays = {name: keras.ops.convert_to_numpy(v.value) for name, v in variables.items()}
    archive.write(path, about, arrays)


def load(path, compile: bool = True):
    """Rebuilds the model of a file with its LoRA and int8 layers, and loads its weights.

    Args:
        path: File written by `save`.
        compile: Whether to compile the model in the same way, with a new optimizer.

    Returns:
        A `Perceiver` that computes the same as the saved model.

    Raises:
        ValueError: if the file does not exist, was not written by `save`, or is damaged.

    Example:

    >>> model = kp.finetuning.load("small.npz")
    >>> model.fit(more_data)  # trains the weights that were trainable
    """
    arguments.flag("compile", compile)
    about, arrays = archive.read(path, "save")
    try:
        model = Perceiver.from_config(about["config"])
    except Exception as error:  # the description was edited
        raise ValueError(
            f"`path` must describe a model. Received: {str(path)!r}, whose description gives "
            f"{type(error).__name__}: {error}"
        ) from error
    changes.repeat(model, changes.checked(about, model, path))
    variables = changes.named_variables(model)
    if set(variables) != set(arrays):
        differing = sorted(set(variables) ^ set(arrays))
        raise ValueError(
            "`path` must hold the weights of the model it describes. Received: "
            f"{str(path)!r}, which differs in {differing[:3]}"
        )
    archive.assign(variables, arrays, path)
    if compile and about.get("compile_config") is not None:
        model.compile_from_config(about["compile_config"])
        changes.compile_again(model)
    return model
