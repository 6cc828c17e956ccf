"""Pictures from raw pixels: both Perceivers beside a small convolutional net.

    python examples/papers/image_classification.py            (one seed, five minutes)
    python examples/papers/image_classification.py --seeds 3 --results examples/results

Silhouettes of ten kinds of animals, 28 x 28 pixels, and handwritten digits of 8 x 8 pixels. The
Perceivers read single pixels with Fourier positions, and are told nothing of which are neighbours
beside this; the third row reads the same pictures through one convolution, as
`kp.build_classifier((28, 28, 1), 10)` does by itself.

Accuracy, mean of three seeds (least to most), 300 steps:

    Perceiver                            0.806 (0.800 to 0.814)
    Perceiver IO                         0.820 (0.814 to 0.823)
    Perceiver IO, through a convolution  0.892 (0.885 to 0.906)
    convolutional net                    0.882 (0.873 to 0.891)
    nearest neighbour                    0.910
    digits: Perceiver                    0.976 (0.955 to 0.989)
    digits: Perceiver IO                 0.985 (0.983 to 0.989)
    digits: convolutional net            0.981 (0.978 to 0.989)
    digits: nearest neighbour            0.994

The claim does not show: animals: better Perceiver 0.820, convolutional net 0.882; digits: better
Perceiver 0.985, convolutional net 0.981.

On the papers' data set, where you have it (`kp.presets.list()` has the other architectures):

    python examples/papers/image_classification.py --dataset imagenet2012 --data_dir DIRECTORY \\
        --preset perceiver_io_imagenet_fourier --only "Perceiver IO" --batch 1024 --steps 137000
"""

from experiment import Experiment, run
from pictures import (
    convolutional_net,
    nearest_neighbour,
    options_of,
    perceiver,
    pixels,
    recipe_of,
    trained_score,
)

DIGITS = "optical_digits"


def first_perceiver(recipe):
    """Latents that read the pixels twice; the answer is from their mean."""
    return {"inputs": pixels(recipe), "head": "mean", "num_cross_attends": 2, "num_latents": 32}


def perceiver_io(recipe):
    """Latents that read the pixels once; a query for the class reads the latents."""
    return {"inputs": pixels(recipe), "num_latents": 32}


def through_a_convolution(recipe):
    """What the builder chooses by itself for pictures of this size."""
    return {"inputs": recipe.inputs}


def trained(arguments, dataset=None):
    def score(seed, options):
        recipe = recipe_of(options, dataset)
        model = perceiver(options, recipe, arguments(recipe))
        return trained_score(model, seed, options, recipe)

    return score


def convolutions(dataset=None):
    def score(seed, options):
        recipe = recipe_of(options, dataset)
        return trained_score(convolutional_net(recipe), seed, options, recipe)

    return score


def verdict(means):
    parts, near = [], []
    for which, what in (("", "animals"), ("digits: ", "digits")):
        best = max(means[which + "Perceiver"], means[which + "Perceiver IO"])
        other = means[which + "convolutional net"]
        near.append(best > other - 0.02)
        parts.append(f"{what}: better Perceiver {best:.3f}, convolutional net {other:.3f}")
    return all(near), "; ".join(parts)


EXPERIMENT = Experiment(
    name="image_classification",
    title="Pictures from raw pixels",
    claim="ImageNet from single pixels: Perceiver 78.0 and ResNet-50 77.6 (Perceiver, table 1); "
    "Perceiver IO 79.0, and 82.1 through a convolution (Perceiver IO, table 7)",
    unit="accuracy",
    variants={
        "Perceiver": trained(first_perceiver),
        "Perceiver IO": trained(perceiver_io),
        "Perceiver IO, through a convolution": trained(through_a_convolution),
        "convolutional net": convolutions(),
        "nearest neighbour": nearest_neighbour,
        "digits: Perceiver": trained(first_perceiver, DIGITS),
        "digits: Perceiver IO": trained(perceiver_io, DIGITS),
        "digits: convolutional net": convolutions(DIGITS),
        "digits: nearest neighbour": lambda seed, options: nearest_neighbour(seed, options, DIGITS),
    },
    verdict=verdict,
    data="animal silhouettes, and digits of scikit-learn",
    steps=300,
    baselines=(
        "convolutional net",
        "nearest neighbour",
        "digits: convolutional net",
        "digits: nearest neighbour",
    ),
    needs_data=options_of(),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
