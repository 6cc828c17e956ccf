"""Nonsense in place of each argument of a function: it works, or the error names the argument."""

from pathlib import Path

import numpy as np

NONSENSE = {
    "None": None,
    "True": True,
    "no": "no",
    "empty string": "",
    "empty dict": {},
    "a dict": {"a": 1},
    "empty list": [],
    "a list with None": [None, 2],
    "-1": -1,
    "0": 0,
    "2.5": 2.5,
    "nan": float("nan"),
    "object": object(),
    "an array": np.zeros((2, 3, 4), "float32"),
    "words": np.array(["a", "b"]),
}
# Bytes that are no picture are told as such; bounds name the other bound, grids their shape.
ALSO = {
    "encoded": ("an image must", "a sound must"),
    "low": ("`high`",),
    "inputs": (
        *("`shape`", "`max_resolution`", "`grid`", "an input on a grid", "`rates`", "`labels`"),
    ),
    "shape": ("`max_resolution`",),
    "height": ("`max_resolution`",),
    "width": ("`max_resolution`",),
    "frames": ("`max_resolution`",),
}


def unexplained(function, good):
    """What is answered by a raw error, or changes a file or the model though it is refused.

    Args:
        function: What is called with keywords.
        good: Function that gives good keywords.
    """
    given, wrong = good(), []
    function(**given)  # what is replaced is good
    anew = "path" in given or ("model" in given and "rank" in given)
    for argument in given:
        for label, value in NONSENSE.items():
            arguments = {**(good() if anew else given), argument: value}
            before = state(arguments)
            try:
                function(**arguments)
            except Exception as error:
                said = str(error).partition("Received")[0].lower()
                named = any(word in said for word in (argument, *ALSO.get(argument, ())))
                kind = type(error).__name__
                if kind not in ("ValueError", "TypeError", "InvalidArgumentError") or not named:
                    wrong.append(f"{argument}={label}: {kind}: {str(error)[:90]}")
                if state(arguments) != before:
                    wrong.append(f"{argument}={label}: refused, but it changed something")
    return wrong


def state(arguments):
    """Files of the current folder, and the weights of the model among the arguments."""
    files = {}
    if "path" in arguments:
        files = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    weights = getattr(arguments.get("model"), "weights", [])
    return files, [(w.path, w.trainable, np.asarray(w.value).tobytes()) for w in weights]
