"""Training on ImageNet as in the papers, for the experiments on pictures."""

import keras
import tensorflow as tf
from experiment import accuracy, fit

import keras_perceiver as kp

CLASSES = 1000


def train_on_imagenet(model, seed, options, split="train"):
    """Top-1 accuracy on the official validation images, which the papers report.

    The window, the flips, RandAugment, MixUp and CutMix, the optimizer, its schedule and label
    smoothing are those of Perceiver IO. `--train` is "train" (all but the first 10,000) and
    `--test` is "test" (the official validation images) unless you change them.

    Args:
        model: A model from images `(batch, height, width, 3)` to logits `(batch, 1000)`.
        options: `data_dir`, in which TensorFlow Datasets has "imagenet2012", or the two archives
            in its folder "downloads/manual"; `batch`, `steps` and `test`.
        split: Images to train on.

    Reference: Perceiver IO (arXiv 2107.14795), appendix A.
    """
    how = kp.training.recipe("imagenet", batch_size=options.batch, steps=options.steps)
    if isinstance(model, kp.Perceiver):
        how.compile(model)
    else:
        loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=how.label_smoothing)
        model.compile(how.optimizer(), loss)
    height, width = model.input_shape[1:3]
    fit(model, training_batches(options, split, seed, height), options.steps, shuffle=False)
    test = kp.data.load(
        "imagenet2012",
        options.test,
        data_dir=options.data_dir,
        batch_size=options.batch,
        prepare=kp.preparation.ImagePreparation(height, width),
    )
    return accuracy(model, test)


def training_batches(options, split, seed, size):
    """Batches of mixed images and labels. Two images make one."""
    examples = kp.data.load(
        "imagenet2012",
        split,
        data_dir=options.data_dir,
        batch_size=None,
        seed=seed,
        prepare=lambda pixels: pixels,
    )
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    pairs = tf.data.Dataset.zip(
        examples.repeat().ragged_batch(2 * options.batch, drop_remainder=True), seeds
    )

    def augmented(example, seed):
        return kp.data.imagenet_augmentation(*example, seed, image_size=size, num_classes=CLASSES)

    return pairs.map(augmented, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
