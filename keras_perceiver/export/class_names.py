"""Class names, as text files in the assets of a SavedModel."""

from pathlib import Path

from keras_perceiver.outputs.classes import Classes


def class_name_files(class_names, outputs, folder):
    """Writes a file for each output with class names, one name per line, and returns the paths.

    Args:
        class_names: A list, for a model with one output of classes; or a dict of lists by output.
        outputs: Output descriptions by name.
        folder: Where to write `class_names.txt`, or `<output>_class_names.txt` for a dict.

    Raises:
        ValueError: if there are no such outputs, or the number of names is not the number of
            classes.
    """
    if class_names is None:
        return []
    counts = {
        key: output.num_classes
        for key, output in outputs.items()
        if isinstance(output, Classes) or getattr(output, "num_classes", None)
    }
    if isinstance(class_names, dict):
        if not set(class_names) <= set(counts):
            raise ValueError(
                f"`class_names` must be for outputs of classes, among {sorted(counts)}. Received: "
                f"names for {sorted(class_names)}"
            )
        named = {f"{key}_class_names.txt": (key, names) for key, names in class_names.items()}
    else:
        if len(counts) != 1:
            raise ValueError(
                "`class_names` must be a dict by output, unless there is one output of classes. "
                f"Received: {type(class_names).__name__} for outputs {sorted(counts)}"
            )
        named = {"class_names.txt": (next(iter(counts)), class_names)}
    paths = []
    for file, (key, names) in named.items():
        good = isinstance(names, (list, tuple)) and all(
            isinstance(name, str) and name.strip() and len(name.splitlines()) == 1 for name in names
        )
        if not good or len(names) != counts[key] or len(set(names)) != len(names):
            raise ValueError(
                f"`class_names` must be {counts[key]} different strings of one line each for "
                f"output '{key}'. Received: {names!r}"
            )
        path = Path(folder) / file
        path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        paths.append(path)
    return paths
