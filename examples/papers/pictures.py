"""What the experiments on pictures share: options, training, and what one compares with."""

import keras
import numpy as np
from experiment import accuracy, arrays, fit
from imagenet import train_on_imagenet
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

import keras_perceiver as kp


def options_of(**defaults):
    """The further arguments of the command, as `Experiment.needs_data`, with other defaults."""
    options = {
        "dataset": {"default": "animal_silhouettes", "help": "a data set of pictures"},
        "size": {"type": int, "help": "height and width, if not those of the data set"},
        "batch": {"type": int, "default": 32, "help": "pictures in a batch"},
        "preset": {"help": "a published architecture, in place of the small one"},
        "train": {"default": "train", "help": "the pictures to train on"},
        "test": {"default": "test", "help": "the pictures to test on"},
    }
    for name, value in defaults.items():
        options[name]["default"] = value
    return tuple((f"--{name}", given) for name, given in options.items())


def recipe_of(options, dataset=None):
    """The recipe of `--dataset`, or of another data set."""
    sizes = {} if options.size is None else {"size": options.size}
    return kp.data.recipe(dataset or options.dataset, data_dir=options.data_dir, **sizes)


def batches(options, recipe, split, seed=0):
    """Batches of pictures `(batch, height, width, channels)` in [0, 1] and labels `(batch,)`."""
    where = {"data_dir": options.data_dir, "batch_size": options.batch}
    return kp.data.load(recipe, split, seed=seed, **where)


def perceiver(options, recipe, small, **published):
    """An untrained Perceiver.

    Args:
        recipe: Of the data.
        small: The arguments of `kp.build_classifier`, beside the number of classes.
        **published: With `--preset`, what is changed in the published architecture instead.
    """
    if options.preset is None:
        return kp.build_classifier(num_classes=recipe.num_classes, **small)
    height, width, _ = recipe.inputs
    sizes = {"height": height, "width": width, "num_classes": recipe.num_classes}
    return kp.from_preset(options.preset, **{**sizes, **published})


def pixels(recipe, **arguments):
    """The pixels of a picture, each with its position; no convolution, no patches."""
    return kp.Image(*recipe.inputs, normalize=True, **arguments)


def convolutional_net(recipe):
    """A small convolutional net; ResNet-50 for large pictures."""
    if min(recipe.inputs[:2]) >= 128:
        model = keras.applications.ResNet50(
            weights=None,
            input_shape=recipe.inputs,
            classes=recipe.num_classes,
            classifier_activation=None,
        )
    else:
        layers = [keras.Input(recipe.inputs)]
        for width in (32, 64):
            layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
            layers.append(keras.layers.MaxPooling2D())
        layers.append(keras.layers.Conv2D(64, 3, padding="same", activation="relu"))
        layers.append(keras.layers.Flatten())  # a mean over places learns shapes far slower
        model = keras.Sequential([*layers, keras.layers.Dense(recipe.num_classes)])
    return compiled(model)


def compiled(model):
    """A model with logits, compiled with the optimizer of our builders."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(kp.AveragedAdamW(1e-3), loss)
    return model


def trained_score(model, seed, options, recipe, split=None):
    """Accuracy on `--test` after training on `--train`, or on `split`."""
    split = split or options.train
    if recipe.dataset == "imagenet2012":
        return train_on_imagenet(model, seed, options, split)
    fit(model, batches(options, recipe, split, seed), options.steps, shuffle=False)
    return accuracy(model, batches(options, recipe, options.test))


def without_training(classifier):
    """A variant: the accuracy of a classifier of scikit-learn on raw pixels."""

    def score(seed, options, dataset=None, split=None):
        recipe = recipe_of(options, dataset)
        if recipe.dataset == "imagenet2012":
            raise SystemExit("Name the variants by --only: this one takes all pictures at once.")
        (found, labels), (images, answers) = (
            arrays(batches(options, recipe, one, seed))
            for one in (split or options.train, options.test)
        )
        known = classifier().fit(found.reshape(len(found), -1), labels)
        return np.mean(known.predict(images.reshape(len(images), -1)) == answers)

    return score


nearest_neighbour = without_training(lambda: KNeighborsClassifier(1))
majority_class = without_training(lambda: DummyClassifier(strategy="most_frequent"))
