"""A fine-tuned model as one file."""

import keras

from keras_perceiver import arguments
from keras_perceiver.finetuning import archive, changes
from keras_perceiver.models.perceiver import Perceiver


def save(model, path):
    """Writes a model with its LoRA matrices, int8 kernels and what is frozen, to one file.

    `model.save` merges LoRA into the kernels and cannot be loaded again after `quantize`; this
    can. The state of the optimizer is not in the file.

    Args:
        model: A model from one of the builders, fine-tuned or not.
        path: File to write, by custom `.npz`. One that exists is replaced when all is written.

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
    """Builds the model of a file again, changes it as it was changed, and loads its weights.

    Args:
        path: File written by `save`.
        compile: Whether to compile it as it was compiled, with a fresh optimizer.

    Returns:
        A `Perceiver` that computes what the saved one does.

    Raises:
        ValueError: if there is no such file, or it is something else or damaged.

    Example:

    >>> model = kp.finetuning.load("small.npz")
    >>> model.fit(more_data)  # trains what was being trained
    """
    arguments.flag("compile", compile)
    about, arrays = archive.read(path, "save")
    try:
        model = Perceiver.from_config(about["config"])
    except Exception as error:  # of a description that someone changed
        raise ValueError(
            f"`path` must describe a model. Received: {str(path)!r}, whose description gives "
            f"{type(error).__name__}: {error}"
        ) from error
    changes.repeat(model, changes.checked(about, model, path))
    variables = changes.named_variables(model)
    if set(variables) != set(arrays):
        missing = sorted(set(variables) ^ set(arrays))
        raise ValueError(
            "`path` must hold the weights of the model it describes. Received: "
            f"{str(path)!r}, which differs in {missing[:3]}"
        )
    archive.assign(variables, arrays, path)
    if compile and about.get("compile_config") is not None:
        model.compile_from_config(about["compile_config"])
        changes.compile_again(model)
    return model
