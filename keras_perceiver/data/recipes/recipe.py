"""What a model needs to know of a data set."""

import dataclasses
from collections.abc import Callable, Mapping


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How the examples of a data set in the form of TensorFlow Datasets become model inputs.

    Args:
        dataset: Name of the data set, as `tfds.builder` takes it, or one of ours.
        inputs: What builders take as `inputs`: a shape, an input description, or a dict of them.
        outputs: What builders take as `outputs`: an output description, or a dict of them.
        read: Function from the features of one example to `(raw inputs, targets)` or `(raw inputs,
            targets, weights)`: decoded, but in the original size and range.
        prepare: Function from the raw inputs of one example to the inputs of the model.
        splits: {"train" | "validation" | "test": the split expression of TFDS}. Those that the data
            set does not have are absent.
        class_names: Names of the classes, or None.
        open: Whether inputs may differ in length; `load` then puts examples of like length
            together.
        options: Further arguments of the builder, for a data set of ours.

    Example:

    >>> digits = kp.data.recipe("optical_digits")
    >>> model = kp.build_classifier(digits.inputs, digits.num_classes)
    >>> model.fit(kp.data.load(digits, "train", batch_size=32))
    """

    dataset: str
    inputs: object
    outputs: object
    read: Callable
    prepare: Callable
    splits: Mapping[str, str]
    class_names: tuple | None = None
    open: bool = False
    options: Mapping = dataclasses.field(default_factory=dict)

    @property
    def num_classes(self):
        """Number of classes of a data set whose only output is a label.

        Raises:
            ValueError: if it has other outputs.
        """
        count = getattr(self.outputs, "num_classes", None)
        if count is None:
            raise ValueError(
                f"`num_classes` is only known of data sets with one label. {self.dataset!r} has "
                f"the outputs {self.outputs!r}"
            )
        return count
