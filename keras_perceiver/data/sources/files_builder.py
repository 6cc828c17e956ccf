"""A builder that reads a user's own files."""

import abc
import warnings
from pathlib import Path

import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.options_builder import OptionsBuilder

_NAMED = 10  # skipped files that a warning names


class FilesBuilder(OptionsBuilder, skip_registration=True):
    """Base of the builders that read files which a user has.

    A subclass lists the files of each split (`listed`), reads one (`read`), and describes the
    features (`described`).

    Args:
        options: As in `OptionsBuilder`.
        source_dir: The user's directory. Data that are prepared already are read without it.
        corrupt: "stop" stops at the first file that is broken or not what its list says; "skip"
            leaves such files out, and says at the end which and how many.
        **others: `data_dir` and the other arguments of `OptionsBuilder`.

    Raises:
        ValueError: if an argument is wrong, `source_dir` is not a directory, or the prepared data
            came from another one.
    """

    def __init__(self, options, *, source_dir=None, corrupt="stop", **others):
        self.corrupt = arguments.one_of("corrupt", corrupt, ("stop", "skip"))
        self.source_dir = None
        if source_dir is not None:
            self.source_dir = arguments.path("source_dir", source_dir).expanduser().resolve()
            if not self.source_dir.is_dir():
                problem = "a file" if self.source_dir.exists() else "there is no such directory"
                raise ValueError(
                    f"`source_dir` must be a directory. Received: source_dir={str(source_dir)!r} "
                    f"({problem})"
                )
        self._absent, self._skipped, self._num_files = [], [], 0
        super().__init__(options, **others)
        self._given.update(source_dir=source_dir, corrupt=corrupt)
        if self.data_path.exists():
            self._check_origin()

    @abc.abstractmethod
    def listed(self, source_dir):
        """Returns, for each split that is there, a dict from the key of each file to what it is."""

    @abc.abstractmethod
    def read(self, key, item):
        """Returns a dict from the end of a key to an example, or raises CorruptFile."""

    @abc.abstractmethod
    def described(self):
        """Returns the arguments `features`, `description`, ... of `tfds.core.DatasetInfo`."""

    def class_names(self, source_dir):
        """Returns the names of the classes in the order of their labels, where there are any."""
        raise NotImplementedError

    def class_label(self):
        """The feature of a class; of prepared data, TensorFlow Datasets restores the names."""
        if self.source_dir is None or self.data_path.exists():
            return tfds.features.ClassLabel()
        return tfds.features.ClassLabel(names=self.class_names(self.source_dir))

    def note_absent(self, message):
        """Keeps a sentence about listed files that are not there, for a warning."""
        self._absent.append(message)

    def download_and_prepare(self, **given):
        """Reads the user's files and writes them, or leaves data that are prepared already."""
        if not self.data_path.exists() and self.source_dir is None:
            raise ValueError(
                f"`source_dir` must be the directory with the files of {self.name}, which is not "
                f"prepared in {self.data_path.parent}. Received: source_dir=None"
            )
        self._absent, self._skipped, self._num_files = [], [], 0
        super().download_and_prepare(**given)
        messages = [*self._absent]
        if self._skipped:
            messages.append(_about_skipped(self._skipped, self._num_files))
        for message in messages:
            warnings.warn(message, stacklevel=2)

    def _info(self):
        metadata = tfds.core.MetadataDict(source_dir=str(self.source_dir), skipped=[], num_files=0)
        return tfds.core.DatasetInfo(builder=self, metadata=metadata, **self.described())

    def _split_generators(self, dl_manager):
        splits = self.listed(self.source_dir)
        self.info.metadata["num_files"] = self._num_files = sum(map(len, splits.values()))
        return {split: self._generate_examples(split, files) for split, files in splits.items()}

    def _generate_examples(self, split, files):
        usable, last = False, None
        for key, item in files.items():
            try:
                examples = self._read(key, item)
            except CorruptFile as error:
                if self.corrupt == "stop":
                    raise ValueError(
                        f"{error} (`corrupt`='skip' leaves such files out.)"
                    ) from error
                last = error
                self._skipped.append(_relative(error.path, self.source_dir))
                self.info.metadata["skipped"] = self._skipped
                continue
            for ending, example in examples.items():
                usable = True
                yield f"{key}{ending}", example
        if not usable:
            raise ValueError(
                f"The split {split!r} of {self.name} must have at least one file that can be read. "
                f"Received: {len(files)} files, all skipped; the last: {last}"
            )

    def _read(self, key, item):
        try:
            return self.read(key, item)
        except OSError as error:  # no permission, or the file has vanished
            raise CorruptFile(error.filename or key, f"cannot be read: {error}") from error

    def _check_origin(self):
        origin, skipped = self.info.metadata["source_dir"], self.info.metadata["skipped"]
        if self.source_dir is not None and origin != str(self.source_dir):
            raise ValueError(
                f"`source_dir` must be {origin!r}, from which the data in {self.data_path} were "
                "prepared; leave it out to use those, or give another `data_dir`. Received: "
                f"source_dir={str(self.source_dir)!r}"
            )
        if skipped and self.corrupt == "stop":
            count = self.info.metadata["num_files"]
            message = f"The data in {self.data_path} were prepared with `corrupt`='skip': "
            warnings.warn(message + _about_skipped(skipped, count), stacklevel=4)


def _relative(path, root):
    path = Path(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _about_skipped(skipped, count):
    more = len(skipped) - _NAMED
    names = ", ".join(skipped[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(skipped)} of {count} files were skipped: {names}"
