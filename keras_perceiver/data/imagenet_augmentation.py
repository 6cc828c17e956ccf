"""Training batches of ImageNet, augmented as in the second paper."""

import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data import tensor_checks
from keras_perceiver.data.cut_mix import cut_mix
from keras_perceiver.data.image_pixels import decoded_image
from keras_perceiver.data.mix_up import mix_up
from keras_perceiver.data.mixed_pairs import class_weights
from keras_perceiver.data.pixel_values import MEAN, STD, checked_pixels
from keras_perceiver.data.rand_augment import rand_augmented
from keras_perceiver.data.random_area_crop import random_window


def imagenet_augmentation(
    images,
    labels,
    seed,
    *,
    image_size: int = 224,
    num_classes: int = 1000,
    num_layers: int = 4,
    magnitude: float = 5.0,
    mix: bool = True,
    mean: tuple[float, float, float] = MEAN,
    std: tuple[float, float, float] = STD,
):
    """Turns a batch of images into one for training, as the published ImageNet models were trained.

    In this order: a window of random area (see `random_area_crop`), a horizontal flip of every
    other image, RandAugment on the window in its own size, bicubic resizing, standardisation of
    colours, and mixing. For mixing, the batch is cut into quarters q0 to q3: q0 and q1 become one
    by MixUp, q2 and q3 by CutMix, so that the result has half as many examples. Label smoothing,
    0.1 in the paper, comes after that: `CategoricalCrossentropy(True, label_smoothing=0.1)`.

    Args:
        images: uint8 `(batch, height, width, 3)` of one size; a `tf.RaggedTensor` of images of
            different sizes, as `dataset.ragged_batch` makes it; or strings `(batch,)`, the bytes of
            PNG or JPEG files. The batch must be divisible by 4, unless `mix` is False.
        labels: Whole numbers `(batch,)`, or floats `(batch, num_classes)`.
        seed: Integer tensor of shape `(2,)`; the same seed gives the same result.
        image_size: Height and width of the result.
        num_classes: Width of the labels.
        num_layers, magnitude: Of RandAugment; see `rand_augment`.
        mix: Whether images are mixed. The first paper's were not.
        mean, std: Of red, green and blue, where colours are in [0, 1].

    Returns:
        A pair: float32 `(batch // 2, image_size, image_size, 3)`, and float32 `(batch // 2,
        num_classes)`; `batch` examples if `mix` is False.

    Raises:
        ValueError: if an argument, a dtype or a shape is wrong.
        tf.errors.InvalidArgumentError: when run, if the number of images is not divisible by 4 or
            differs from that of the labels, a label is out of range, or bytes are not an image.

    Example:

    >>> examples = tfds.load("imagenet2012", split="train", as_supervised=True)
    >>> seeds = tf.data.Dataset.random(5, rerandomize_each_iteration=True).batch(2)
    >>> batches = tf.data.Dataset.zip(examples.ragged_batch(64, drop_remainder=True), seeds)
    >>> train = batches.map(lambda example, seed: kp.data.imagenet_augmentation(*example, seed))

    Reference: Perceiver IO (arXiv 2107.14795), appendix A, and its published training code.
    """
    arguments.whole_number("image_size", image_size)
    arguments.whole_number("num_classes", num_classes)
    arguments.whole_number("num_layers", num_layers, at_least=0)
    arguments.number("magnitude", magnitude, at_least=0, at_most=10)
    arguments.flag("mix", mix)
    mean = arguments.number_for_each("mean", mean, 3)
    std = arguments.number_for_each("std", std, 3, above=0)
    seed = tensor_checks.pair("seed", seed)
    images = _checked(images)
    labels = class_weights(labels, num_classes, "images", images)
    size = tf.shape(labels)[0]
    of_images, of_mix_up, of_cut_mix = tf.unstack(tf.random.experimental.stateless_split(seed, 3))

    def one(image, seed):
        of_window, of_flip, of_changes = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
        image = random_window(_pixels(image), of_window)
        image = tf.image.stateless_random_flip_left_right(image, of_flip)
        image = rand_augmented(image, of_changes, num_layers, magnitude)
        image = tf.image.resize(image, (image_size, image_size), "bicubic")
        return (image / 255.0 - mean) / std

    result = tf.map_fn(
        lambda pair: one(*pair),
        (images, tf.random.experimental.stateless_split(of_images, size)),
        fn_output_signature=tf.TensorSpec((image_size, image_size, 3), tf.float32),
    )
    if not mix:
        return result, labels
    quarters = tf.debugging.Assert(
        tf.equal(size % 4, 0), ["`images` must be a multiple of 4, to be mixed. Received: ", size]
    )
    with tf.control_dependencies([quarters]):
        half = size // 2
    first = mix_up(result[:half], labels[:half], of_mix_up)
    second = cut_mix(result[half:], labels[half:], of_cut_mix)
    return tuple(tf.concat(parts, axis=0) for parts in zip(first, second))


def _checked(images):
    """`images` as a dense or ragged tensor."""
    wanted = "uint8 images (batch, height, width, 3), or strings (batch,), the bytes of files"
    if not isinstance(images, tf.RaggedTensor):
        images = tensor_checks.tensor("images", images, wanted)
    is_encoded = images.dtype == tf.string and images.shape.rank == 1
    is_pixels = images.dtype == tf.uint8 and images.shape.rank == 4
    if not is_encoded and not (is_pixels and images.shape[-1] in (3, None)):
        raise ValueError(
            f"`images` must be {wanted}. Received: images of dtype {images.dtype.name} and shape "
            f"{images.shape}"
        )
    return images


def _pixels(image):
    """uint8 `(height, width, 3)` of one image."""
    if isinstance(image, tf.RaggedTensor):
        image = image.to_tensor()
    if image.dtype == tf.string:
        return decoded_image(image)
    return checked_pixels("images", image, {3: "(height, width, 3)"})
