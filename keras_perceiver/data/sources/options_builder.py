"""A builder of TensorFlow Datasets whose options are arguments."""

import inspect

import tensorflow_datasets as tfds


class OptionsBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Base of our builders: prepared data of other options never stand in for those asked for.

    Each choice of options has a directory of its own,
    `data_dir/<name>/<changed options>/<version>`, such as
    `surface_points/num_points_512-seed_3/1.0.0`; with all options as they are by default it is
    `surface_points/default/1.0.0`. A preparation that fails leaves no directory behind.

    Args:
        options: Dict of the subclass' arguments that change what is written: whole numbers,
            booleans, words or None.
        data_dir: Where prepared data are kept, or None for the directory of TensorFlow Datasets.
        **tfds_arguments: `version` and `file_format` of a builder of TensorFlow Datasets.

    Raises:
        ValueError: if `config` is given: options are arguments instead.
    """

    VERSION = tfds.core.Version("1.0.0")
    code_path = None  # beside which checksums of downloads would be looked for; there are none

    def __init__(self, options, *, data_dir=None, **tfds_arguments):
        if tfds_arguments.get("config") is not None:
            raise ValueError(
                f"`config` must be None, because the options of {self.name} are arguments: "
                f"{', '.join(options)}. Received: config={tfds_arguments['config']!r}"
            )
        self.options = dict(options)
        self._given = {**options, "data_dir": data_dir, **tfds_arguments}
        super().__init__(data_dir=data_dir, **tfds_arguments)

    def __getstate__(self):
        return self._given

    def __setstate__(self, given):
        self.__init__(**given)

    def get_default_builder_config(self):
        """The only configuration of this builder, named after its options."""
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{key}_{value}"
            for key, value in self.options.items()
            if value != defaults[key].default
        ]
        return tfds.core.BuilderConfig(name="-".join(changed) or "default")

    def download_and_prepare(self, **arguments):
        """Writes the data, or leaves those that are there. Nothing is downloaded."""
        downloads = self.data_path.parents[2] / "downloads"  # made by tfds and not needed
        unneeded = _missing([downloads / "extracted", downloads])
        parents = _missing(self.data_path.parents)
        try:
            super().download_and_prepare(**arguments)
        except BaseException:
            unneeded += parents
            raise
        finally:
            for path in unneeded:
                if path.exists() and not any(path.iterdir()):
                    path.rmdir()


def _missing(paths):
    return [path for path in paths if not path.exists()]
