"""Series and labels of a .ts file, the format of the time series archive."""

from pathlib import Path

import numpy as np


def ts_series(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Reads a .ts file of labelled series without time stamps, of equal or unequal lengths.

    A line holds one example: its channels, separated by colons, each a list of numbers separated by
    commas, and its label after the last colon. Lines of "#" and "%" are comments, lines of "@" are
    the header, which ends with "@data".

    Args:
        path: Path of the file.

    Returns:
        List of float32 arrays `(steps, channels)`, and list of labels, as they are written.

    Raises:
        ValueError: if the header does not promise labels and no time stamps, or if a line is not
            of the format; names the file and the line.

    Example:

    >>> series, labels = ts_series(Path("JapaneseVowels_TRAIN.ts"))
    >>> series[0].shape, labels[0]
    ((20, 12), '1')

    Reference: https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html
    """
    header, series, labels = {}, [], []
    with open(path, encoding="utf8") as file:
        for number, line in enumerate(map(str.strip, file), start=1):
            if not line or line[0] in "#%":
                continue
            if "data" not in header:
                name, _, value = line.partition(" ")
                header[name.lower().removeprefix("@")] = value.lower()
                continue
            *channels, label = line.split(":")
            try:
                example = np.array([c.split(",") for c in channels], "float32").T
            except ValueError as error:
                raise ValueError(
                    f"`path` must be a .ts file with channels of equal length. Received: {path}, "
                    f"line {number} ({error})"
                ) from error
            series.append(example)
            labels.append(label)
    labelled = header.get("classlabel", "").startswith("true")
    if not labelled or header.get("timestamps") != "false" or not series:
        raise ValueError(
            "`path` must be a .ts file with labels and without time stamps. Received: "
            f"{path} with header {header}"
        )
    return series, labels
