"""The Hugging Face hub: directories down and up."""

import re
from pathlib import Path

from keras_perceiver import arguments, extras
from keras_perceiver.models.preset_directory import FILES, digest, is_preset_directory, load_preset

HUB = "hf://"
_WANTED = ["*.json", "*.safetensors", "*.weights.h5"]  # never PyTorch's pickles


def repository(address):
    """ "user/name" from "hf://user/name"; raises ValueError for anything else."""
    name = str(address).removeprefix(HUB)
    if not str(address).startswith(HUB) or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ValueError(
            f"An address on the hub must be like 'hf://user/name'. Received: {str(address)!r}"
        )
    return name


def downloaded(address, revision=None):
    """The directory of a repository, downloaded unless it is in huggingface_hub's cache.

    Args:
        address: "hf://user/name".
        revision: Branch, tag or commit.

    Raises:
        ValueError: if the address is malformed, or a file in the cache is damaged.
        ImportError: if huggingface_hub is not installed.
    """
    name = repository(address)
    hub = extras.require("huggingface_hub", "checkpoints")
    directory = Path(hub.snapshot_download(name, revision=revision, allow_patterns=_WANTED))
    for path in sorted(directory.glob("*.safetensors")):
        stored = path.resolve()  # large files are stored under their SHA-256
        if re.fullmatch(r"[0-9a-f]{64}", stored.name) and digest(stored) != stored.name:
            raise ValueError(
                f"{str(stored)!r} is damaged: its checksum is not its name. Delete the file, and "
                "it is downloaded again"
            )
    return directory


def upload_preset(
    address: str, directory, *, private: bool = False, dry_run: bool = False
) -> list[str]:
    """Uploads a directory of `model.save_to_preset` to the Hugging Face hub.

    Args:
        address: "hf://user/name"; the repository is created if there is none.
        directory: The directory. Its model is loaded first, to see that it is whole.
        private: Whether a new repository is private.
        dry_run: Whether to do everything but the upload.

    Returns:
        The names of the files that were uploaded, or would be.

    Raises:
        ValueError: if an argument is wrong, or the directory is not whole. Nothing is uploaded.
        ImportError: if huggingface_hub is not installed.

    Example:

    >>> model.save_to_preset("flowers")
    >>> kp.upload_preset("hf://me/flowers", "flowers")
    """
    name = repository(address)
    directory = arguments.path("directory", directory)
    arguments.flag("private", private)
    arguments.flag("dry_run", dry_run)
    if not is_preset_directory(directory):
        raise ValueError(
            f"`directory` must be a directory of model.save_to_preset. Received: {str(directory)!r}"
        )
    load_preset(directory, compile=False)
    hub = extras.require("huggingface_hub", "checkpoints")
    files = [file for file in FILES if (directory / file).is_file()]
    if not dry_run:
        api = hub.HfApi()
        api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=str(directory), allow_patterns=files)
    return files
