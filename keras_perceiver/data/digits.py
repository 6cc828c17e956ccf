"""Real handwritten digits that need no download."""

import numpy as np
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.from_arrays import from_arrays
from keras_perceiver.extras import require


def digits(
    batch_size: int = 32, seed: int = 0, augment=None
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Scikit-learn's bundled 1,797 handwritten digits as images of 8 x 8 pixels.

    Args:
        batch_size: Examples in a batch.
        seed: Fixes the split, the order of the examples and the augmentation.
        augment: For training images, as in `from_arrays`: `random_noise`, `random_shift`, or None.

    Returns:
        Two `tf.data.Dataset`s, train (1,437 examples, shuffled anew in each epoch) and test (360
        examples, stratified by class), of images `(batch, 8, 8, 1)`, float32 from 0 to 1 (ink), and
        labels `(batch,)` from 0 to 9.

    Raises:
        ImportError: if scikit-learn is not installed.
        ValueError: if an argument is out of range.

    Example:

    >>> train, test = kp.data.digits(batch_size=32, seed=1)
    >>> model = kp.build_classifier((8, 8, 1), num_classes=10)
    >>> model.fit(train, validation_data=test, epochs=5)

    Reference: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998.
    """
    arguments.whole_number("seed", seed, at_least=0)
    bundled = require("sklearn.datasets", "examples").load_digits()
    split = require("sklearn.model_selection", "examples").train_test_split
    images = (bundled.images[..., None] / 16).astype("float32")
    labels = bundled.target.astype(np.int32)
    train_images, test_images, train_labels, test_labels = split(
        images, labels, test_size=0.2, stratify=labels, random_state=seed
    )
    train = from_arrays(
        train_images,
        train_labels,
        batch_size,
        num_classes=10,
        shuffle=True,
        seed=seed,
        augment=augment,
    )
    test = from_arrays(test_images, test_labels, batch_size, num_classes=10)
    return train, test
