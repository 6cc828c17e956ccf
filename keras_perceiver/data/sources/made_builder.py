"""A builder of data that are computed."""

import abc

import numpy as np
import tensorflow_datasets as tfds

from keras_perceiver import arguments
from keras_perceiver.data.sources.options_builder import OptionsBuilder

_SPLITS = ("train", "validation", "test")


class MadeBuilder(OptionsBuilder, skip_registration=True):
    """Base of the builders of made data: every example comes from a seed of its own.

    The same options give the same data everywhere, and example `i` of a split does not depend on
    how many there are. A subclass makes an example (`made`), for which it gives out its labels in
    turn by the number of the example, and describes the features (`described`).

    Args:
        options: As in `OptionsBuilder`.
        seed: Fixes the data. Splits differ from each other, whatever the seed.
        num_train, num_validation, num_test: Examples of each split.
        **others: `data_dir` and the other arguments of `OptionsBuilder`.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(self, options, *, seed, num_train, num_validation, num_test, **others):
        counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
        counts = {name: arguments.whole_number(name, count) for name, count in counts.items()}
        self._counts = dict(zip(_SPLITS, counts.values()))
        seed = arguments.whole_number("seed", seed, at_least=0)
        super().__init__({**options, **counts, "seed": seed}, **others)

    @abc.abstractmethod
    def made(self, number, split, random):
        """Returns an example from its number, its split and a `numpy.random.Generator`."""

    @abc.abstractmethod
    def described(self):
        """Returns the arguments `features`, `description`, ... of `tfds.core.DatasetInfo`."""

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, **self.described())

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in _SPLITS}

    def _generate_examples(self, split):
        for number in range(self._counts[split]):
            seeds = [self.options["seed"], _SPLITS.index(split), number]
            yield number, self.made(number, split, np.random.default_rng(seeds))
