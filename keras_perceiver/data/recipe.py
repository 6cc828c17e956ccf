"""The recipe of a data set by its name."""

import dataclasses
import difflib
import inspect

from keras_perceiver import arguments
from keras_perceiver.data.dataset_builder import builder_options, dataset_builder
from keras_perceiver.data.recipes import RECIPES, Recipe

_FEATURES = ("builder", "splits", "keys", "key", "label", "video", "audio", "equal", "longest")


def recipe(name: str, *, data_dir=None, source_dir=None, **sizes) -> Recipe:
    """What a model needs to know of a data set: its inputs, its outputs, its splits.

    Nothing is downloaded or prepared.

    Args:
        name: Name of a data set, as `kp.data.names` lists them.
        data_dir, source_dir: As of `load`.
        **sizes: What of the data is read, such as `size=64` of pictures, `max_length=512` of texts,
            `length=100` of series, `num_points=1024` of points, or `frames=16` of clips; and how a
            data set of ours is made, such as `seed=3`. See docs/data.md.

    Returns:
        A `Recipe`; `inputs` and `outputs` are what builders take.

    Raises:
        ValueError: if there is no such data set (near names are listed), or a size is wrong.
        TypeError: if the data set has no such size; suggests the nearest.
        ImportError: if TensorFlow Datasets is not installed.

    Example:

    >>> cifar = kp.data.recipe("cifar10")
    >>> cifar.inputs, cifar.num_classes
    ((32, 32, 3), 10)
    >>> model = kp.build_classifier(cifar.inputs, cifar.num_classes)
    """
    make, fixed = RECIPES[_known(name)]
    of_recipe, of_builder = _sizes_of(make), builder_options(name)
    arguments.check_known("recipe", sizes, [*of_recipe, *of_builder])
    options = {key: value for key, value in sizes.items() if key in of_builder}
    sizes = {key: value for key, value in sizes.items() if key in of_recipe}
    made = make(dataset_builder(name, data_dir, source_dir, **options), **{**fixed, **sizes})
    return dataclasses.replace(made, dataset=name, options=options)


def names() -> list[str]:
    """The names of all data sets that `load` knows, those of TensorFlow Datasets and ours.

    Example:

    >>> "imagenet2012" in kp.data.names()
    True
    """
    return sorted(RECIPES)


def _sizes_of(make):
    """The sizes that a user may choose; the others tell which features the data set has."""
    names = [p.name for p in inspect.signature(make).parameters.values()]
    return [name for name in names if name not in _FEATURES]


def _known(name):
    if not isinstance(name, str) or name not in RECIPES:
        near = difflib.get_close_matches(str(name), RECIPES, n=3, cutoff=0.5)
        near = near or sorted(RECIPES)
        raise ValueError(
            f"`name` must be a data set with a recipe, such as {near}; `kp.data.names()` lists "
            f"all of them. Received: name={name!r}"
        )
    return name
