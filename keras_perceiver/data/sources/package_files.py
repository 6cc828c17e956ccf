"""Files of an installed package, with the contents that a builder was written for."""

from pathlib import Path

from keras_perceiver.data.sources.package_directory import package_directory
from keras_perceiver.data.sources.package_file import check_sha256


def package_files(package: str, pattern: str, distribution: str, sha256: str) -> list[Path]:
    """Finds files of an installed package, without importing it, and checks their contents.

    Args:
        package: The package's name in an import, such as "django".
        pattern: Pattern of paths inside the package, such as "**/*.mo".
        distribution: Name and version for pip of what the caller was written for, such as
            "Django==5.2.19". Other versions will do as long as the files are the same.
        sha256: What the SHA-256 of all files must be, one after the other in order of their paths,
            each preceded by its path inside the package and a zero byte.

    Returns:
        The paths of the files, sorted.

    Raises:
        ImportError: if the package is not installed; says how to install it.
        ValueError: if a file is missing, is another one or was added; names the distribution and
            version with the right ones.

    Example:

    >>> paths = package_files("django", "**/*.mo", "Django==5.2.19", "8a0c2d0e...")
    """
    root = package_directory(package, distribution)
    paths = sorted(root.glob(pattern), key=lambda path: path.relative_to(root).as_posix())
    contents = b"".join(
        path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() for path in paths
    )
    check_sha256(root / pattern, contents if paths else None, distribution, sha256)
    return paths
