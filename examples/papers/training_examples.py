"""How many pictures does it take? A Perceiver and a convolutional net on more and more of them.

    python examples/papers/training_examples.py               (one seed, ten minutes)
    python examples/papers/training_examples.py --seeds 3 --results examples/results

Silhouettes of ten kinds of animals, 28 x 28 pixels. A convolutional net knows beforehand that
neighbours belong together and that places are alike; a Perceiver on single pixels has to learn it.
So the net should be ahead on few pictures, and less so on many. All models take the same number of
steps. With `--results` the curves are drawn.

Accuracy, mean of three seeds (least to most), 300 steps:

    Perceiver, 1% of examples            0.446 (0.431 to 0.471)
    Perceiver, 3% of examples            0.609 (0.583 to 0.632)
    Perceiver, 10% of examples           0.765 (0.747 to 0.780)
    Perceiver, 30% of examples           0.814 (0.801 to 0.822)
    Perceiver, 100% of examples          0.820 (0.814 to 0.823)
    convolutional net, 1% of examples    0.516 (0.499 to 0.537)
    convolutional net, 3% of examples    0.705 (0.701 to 0.708)
    convolutional net, 10% of examples   0.827 (0.822 to 0.832)
    convolutional net, 30% of examples   0.876 (0.870 to 0.881)
    convolutional net, 100% of examples  0.882 (0.873 to 0.891)
    nearest neighbour, 1% of examples    0.553
    nearest neighbour, 3% of examples    0.654
    nearest neighbour, 10% of examples   0.802
    nearest neighbour, 30% of examples   0.871
    nearest neighbour, 100% of examples  0.910

The claim does not show: convolutional net less Perceiver at 1%: +0.071, 3%: +0.096, 10%: +0.062,
30%: +0.062, 100%: +0.061.

On the paper's data set, where you have it (the convolutional net is then ResNet-50):

    python examples/papers/training_examples.py --dataset imagenet2012 --data_dir DIRECTORY \\
        --preset perceiver_io_imagenet_fourier --size 224 --batch 1024 --steps 137000 \\
        --only "Perceiver, 10% of examples" "Perceiver, 100% of examples" \\
        "convolutional net, 10% of examples" "convolutional net, 100% of examples"
"""

import numpy as np
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

SHARES = (1, 3, 10, 30, 100)  # per cent
OURS, CONVOLUTIONS, NEIGHBOUR = "Perceiver", "convolutional net", "nearest neighbour"


def named(model, share):
    return f"{model}, {share}% of examples"


def part(options, share):
    return options.train if share == 100 else f"train[:{share}%]"


def trained_perceiver(share):
    def score(seed, options):
        recipe = recipe_of(options)
        small = {"inputs": pixels(recipe), "num_latents": 32}
        model = perceiver(options, recipe, small)
        return trained_score(model, seed, options, recipe, part(options, share))

    return score


def trained_net(share):
    def score(seed, options):
        recipe = recipe_of(options)
        model = convolutional_net(recipe)
        return trained_score(model, seed, options, recipe, part(options, share))

    return score


def neighbour(share):
    def score(seed, options):
        return nearest_neighbour(seed, options, split=part(options, share))

    return score


KINDS = {OURS: trained_perceiver, CONVOLUTIONS: trained_net, NEIGHBOUR: neighbour}


def verdict(means):
    behind = [means[named(CONVOLUTIONS, share)] - means[named(OURS, share)] for share in SHARES]
    parts = ", ".join(f"{share}%: {gap:+.3f}" for share, gap in zip(SHARES, behind))
    few, many = max(behind[:-1]), behind[-1]
    return few > 0.02 and many < few / 2, f"convolutional net less Perceiver at {parts}"


def draw(scores, path):
    """Draws accuracy against the share of examples; bars span the seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.5, 4.5))
    for kind, style in zip(KINDS, ("o-", "s-", "k^--")):
        shares = [share for share in SHARES if named(kind, share) in scores]
        values = [scores[named(kind, share)] for share in shares]
        means = np.array([np.mean(some) for some in values])
        spread = [means - [min(some) for some in values], [max(some) for some in values] - means]
        spread = np.maximum(spread, 0)  # a mean of equal numbers can differ from them in rounding
        axis.errorbar(shares, means, spread, fmt=style, capsize=3, label=kind)
    axis.set(xscale="log", xlabel="per cent of the training examples", ylabel="test accuracy")
    axis.set_xticks(SHARES, [str(share) for share in SHARES])
    axis.minorticks_off()
    axis.legend()
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


EXPERIMENT = Experiment(
    name="training_examples",
    title="Accuracy against training examples",
    claim="Few assumptions cost little where examples are many: Perceiver IO 79.0 after ImageNet "
    "alone and 84.5 after 300 million more pictures (Perceiver IO, table 7); without shared "
    "weights a Perceiver overfits ImageNet, 87.7 in training and 72.9 otherwise (Perceiver, 4.1)",
    unit="accuracy",
    variants={named(kind, share): make(share) for kind, make in KINDS.items() for share in SHARES},
    verdict=verdict,
    data="animal silhouettes",
    steps=300,
    baselines=tuple(named(kind, share) for kind in (CONVOLUTIONS, NEIGHBOUR) for share in SHARES),
    needs_data=options_of(),
)


def main(arguments=None):
    scores = run(EXPERIMENT, __doc__, arguments)
    options = EXPERIMENT.parser(__doc__).parse_args(arguments)
    if options.results:
        draw(scores, options.results / f"{EXPERIMENT.name}.png")


if __name__ == "__main__":
    main()
