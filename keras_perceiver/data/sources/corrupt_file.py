"""The error for a file that cannot be used."""


class CorruptFile(ValueError):
    """A file of the user's that is broken, or is not what its place or its list says.

    Builders of users' files stop at the first one, or with `corrupt="skip"` leave it out.

    Args:
        path: The file.
        problem: What was wanted and what was found, as the end of a sentence about the file.

    Example:

    >>> raise CorruptFile("rain.wav", "must be a sound. Received: an empty file")
    """

    def __init__(self, path, problem):
        super().__init__(f"{path} {problem}")
        self.path = path
