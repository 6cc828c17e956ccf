"""Puts named arrays into a model: all or none."""

import numpy as np

_MOST_LISTED = 20


def fill(model, source, names, arrange, fresh=(), resize=None):
    """Assigns every array of a source to a weight of a model, each exactly once.

    Everything is checked before the first weight is assigned: if an error is raised, the model is
    as it was. Arrays are read one at a time.

    Args:
        model: A `Perceiver`.
        source: A `Source`.
        names: {path of a weight: `WeightName`}, for all weights.
        arrange: Function of (array, role, shape of the weight) to the array in Keras' layout.
        fresh: Paths of weights that keep their initial values; their arrays are left out.
        resize: {path of a table: function from the array to one of the weight's shape}

    Raises:
        ValueError: if names or shapes differ, listed from both sides, or an array is damaged.
    """
    resize = resize or {}
    weights = {weight.path: weight for weight in model.weights}
    taken = {names[path].name for path in weights}
    problems = [
        *_listed(
            "weights of the model that are not in the file",
            [
                f"{path} {tuple(weight.shape)}, called {names[path].name}"
                for path, weight in weights.items()
                if names[path].name not in source.shapes and path not in fresh
            ],
        ),
        *_listed(
            "arrays of the file for which the model has no weight",
            [f"{name} {shape}" for name, shape in source.shapes.items() if name not in taken],
        ),
        *_listed(
            "weights whose shape differs",
            [
                f"{path} {tuple(weight.shape)}, but {names[path].name} {shape}"
                for path, weight in weights.items()
                if path not in fresh and path not in resize
                for shape in [source.shapes.get(names[path].name)]
                if shape is not None and not _fits(weight, names[path].role, shape, arrange)
            ],
        ),
    ]
    twice = len(taken) != len(weights)
    if problems or twice:
        problems += ["two weights have the same name in the file"] * twice
        raise ValueError(
            f"{source.where} must hold exactly the weights of the model. It does not:\n"
            + "\n".join(problems)
        )

    def prepared(path):
        name, role = names[path]
        array = source.read(name)
        array = resize[path](array) if path in resize else array
        return arrange(array, role, tuple(weights[path].shape))

    filled = [path for path in weights if path not in fresh]
    for path in filled:  # all are read once before the first is assigned
        found, wanted = prepared(path).shape, tuple(weights[path].shape)
        if found != wanted:
            raise ValueError(f"{path} must have shape {wanted}. Received: {found}")
    for path in filled:
        weights[path].assign(prepared(path))


def _fits(weight, role, shape, arrange):
    """Whether an array of this shape has the weight's shape once it is arranged."""
    try:
        arranged = arrange(np.broadcast_to(np.float32(0), shape), role, tuple(weight.shape))
    except ValueError:
        return False
    return arranged.shape == tuple(weight.shape)


def _listed(title, lines):
    if not lines:
        return []
    more = len(lines) - _MOST_LISTED
    shown = [f"  {line}" for line in lines[:_MOST_LISTED]]
    return [f"{len(lines)} {title}:", *shown, *([f"  and {more} more"] if more > 0 else [])]
