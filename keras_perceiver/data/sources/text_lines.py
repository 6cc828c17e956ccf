"""Reads a text file that says something about other files."""


def text_lines(path):
    """The lines of a text file in UTF-8, without their ends.

    Args:
        path: The file.

    Returns:
        A list of strings.

    Raises:
        ValueError: if the file is not text in UTF-8; names it.

    Example:

    >>> text_lines(Path("modelnet40_train.txt"))
    ["airplane_0001", "airplane_0002"]
    """
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be text in UTF-8. Received: {error}") from error
