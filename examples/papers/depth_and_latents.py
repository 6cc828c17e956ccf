"""Accuracy and cost: depth, latents, and a plain Transformer that attends from pixels to pixels.

    python examples/papers/depth_and_latents.py               (one seed, 22 minutes on a busy core)
    python examples/papers/depth_and_latents.py --seeds 3 --results examples/results

Silhouettes of ten kinds of animals, 14 x 14 pixels, read pixel by pixel. One Perceiver is made
deeper, and given more latents; the plain Transformer has two layers of the same width. With
`--results` the scores are drawn against FLOPs, and beside it the FLOPs and the measured seconds of
one picture of 16 x 16 to 64 x 64 pixels in both models.

Accuracy, mean of three seeds (least to most), 300 steps:

    Perceiver, 1 layer, 32 latents           0.652 (0.618 to 0.686)
    Perceiver, 2 layers, 8 latents           0.619 (0.608 to 0.632)
    Perceiver, 2 layers, 16 latents          0.646 (0.630 to 0.663)
    Perceiver, 2 layers, 32 latents          0.707 (0.697 to 0.722)
    Perceiver, 2 layers, 64 latents          0.667 (0.655 to 0.686)
    Perceiver, 4 layers, 32 latents          0.704 (0.699 to 0.712)
    Perceiver, 8 layers, 32 latents          0.702 (0.676 to 0.728)
    plain Transformer, 2 layers, all pixels  0.790 (0.782 to 0.799)
    majority class                           0.100

The claim does not show: least 0.619, base 0.707, 8 layers 0.702, 64 latents 0.667, plain
Transformer 0.790; with 16 times the pixels FLOPs grow 19.7-fold, those of the Transformer
111.3-fold.

On the paper's data set, where you have it:

    python examples/papers/depth_and_latents.py --dataset imagenet2012 --data_dir DIRECTORY \\
        --preset perceiver_imagenet --size 224 --batch 1024 --steps 137000 \\
        --only "Perceiver, 2 layers, 32 latents"
"""

import json
import time

import keras
import numpy as np
from experiment import Experiment, run
from pictures import (
    compiled,
    majority_class,
    options_of,
    perceiver,
    pixels,
    recipe_of,
    trained_score,
)

import keras_perceiver as kp

WIDTH, HEADS, TRANSFORMER_LAYERS = 128, 4, 2
SIDES = (16, 24, 32, 48, 64)
BASE = (2, 32)  # layers, latents
TRIED = ((1, 32), (2, 8), (2, 16), BASE, (2, 64), (4, 32), (8, 32))
TRANSFORMER = "plain Transformer, 2 layers, all pixels"


def named(layers, latents):
    return f"Perceiver, {layers} layer{'s' if layers > 1 else ''}, {latents} latents"


def sizes(layers, latents):
    """Arguments of `kp.build_classifier`."""
    return {
        "head": "mean",
        "num_latents": latents,
        "latent_dim": WIDTH,
        "num_self_attends_per_block": layers,
        "num_self_attention_heads": HEADS,
        "num_cross_attention_heads": 1,
    }


def trained(layers, latents):
    """With `--preset`, depth and latents are changed in the proportion of those here."""

    def score(seed, options):
        recipe = recipe_of(options)
        published = {}
        if options.preset is not None:
            known = kp.presets.get(options.preset).arguments
            ratios = zip((layers, latents), BASE, ("num_self_attends_per_block", "num_latents"))
            published = {name: known[name] * one // base for one, base, name in ratios}
        small = {"inputs": pixels(recipe), **sizes(layers, latents)}
        model = perceiver(options, recipe, small, **published)
        return trained_score(model, seed, options, recipe)

    return score


def transformer(shape, num_classes):
    """Self-attention of all pixels with Fourier positions, then the mean: as a ViT of 1 x 1."""
    image = keras.Input(shape)
    encoded = kp.Image(*shape, num_bands=min(64, shape[0] // 2))(image * 2 - 1)
    tokens = keras.layers.Dense(WIDTH)(encoded)
    for _ in range(TRANSFORMER_LAYERS):
        normed = keras.layers.LayerNormalization(epsilon=1e-5)(tokens)
        attention = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        tokens = tokens + attention(normed, normed)
        hidden = keras.layers.LayerNormalization(epsilon=1e-5)(tokens)
        hidden = keras.layers.Dense(WIDTH, activation="gelu")(hidden)
        tokens = tokens + keras.layers.Dense(WIDTH)(hidden)
    pooled = keras.layers.GlobalAveragePooling1D()(tokens)
    return compiled(keras.Model(image, keras.layers.Dense(num_classes)(pooled)))


def trained_transformer(seed, options):
    recipe = recipe_of(options)
    model = transformer(recipe.inputs, recipe.num_classes)
    return trained_score(model, seed, options, recipe)


def perceiver_flops(shape, layers, latents):
    """Of one picture, by `kp.costs`."""
    described = {"inputs": kp.Image(*shape), "outputs": kp.Classes(10, head="mean")}
    options = sizes(layers, latents)
    del options["head"]
    return kp.costs({**described, **options}).flops


def transformer_flops(shape):
    """Of one picture: two for each multiply-add of the matrix products, as `kp.costs` counts.

    Each layer has six products of all pixels with kernels (query, key, value, output, and two of
    the feed-forward block), and two of all pixels with all pixels.
    """
    inputs = shape[0] * shape[1]
    encoded = kp.costs({"inputs": kp.Image(*shape), "outputs": kp.Classes(10)})
    width = kp.Image(*shape).input_dim
    layer = 2 * inputs * WIDTH * (6 * WIDTH + 2 * inputs)
    read = encoded.flops_by_part["inputs"] + 2 * inputs * width * WIDTH
    return read + TRANSFORMER_LAYERS * layer + 2 * WIDTH * 10


def seconds(model, shape, repeats=5):
    """Of one picture, forward, compiled: the least of some runs."""
    picture, found = np.zeros((1, *shape), "float32"), []
    model.predict_on_batch(picture)
    for _ in range(repeats):
        start = time.perf_counter()
        model.predict_on_batch(picture)
        found.append(time.perf_counter() - start)
    return min(found)


def curves(sides=SIDES):
    """FLOPs and seconds by the number of pixels: {"pixels": [...], "Perceiver": {...}, ...}"""
    found = {"pixels": [side * side for side in sides]}
    for name in ("Perceiver", "plain Transformer"):
        found[name] = {"flops": [], "seconds": []}
    for side in sides:
        keras.utils.clear_session()
        shape = (side, side, 1)
        ours = kp.build_classifier(kp.Image(*shape), 10, **sizes(*BASE))
        found["Perceiver"]["flops"].append(perceiver_flops(shape, *BASE))
        found["Perceiver"]["seconds"].append(seconds(ours, shape))
        found["plain Transformer"]["flops"].append(transformer_flops(shape))
        found["plain Transformer"]["seconds"].append(seconds(transformer(shape, 10), shape))
    return found


def draw(scores, shape, found, path):
    """Draws accuracy against FLOPs, then FLOPs and seconds against pixels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5))
    groups = {
        "32 latents, 1 to 8 layers": [pair for pair in TRIED if pair[1] == 32],
        "2 layers, 8 to 64 latents": [pair for pair in TRIED if pair[0] == 2],
    }
    for (label, pairs), style in zip(groups.items(), ("o-", "s--")):
        pairs = [pair for pair in pairs if named(*pair) in scores]
        flops = [perceiver_flops(shape, *pair) / 1e6 for pair in pairs]
        means = [np.mean(scores[named(*pair)]) for pair in pairs]
        axes[0].plot(flops, means, style, label=f"Perceiver, {label}")
    if TRANSFORMER in scores:
        cost = transformer_flops(shape) / 1e6
        axes[0].plot([cost], [np.mean(scores[TRANSFORMER])], "k^", label="plain Transformer")
    axes[0].set(xscale="log", xlabel="MFLOP of a picture, forward", ylabel="test accuracy")
    for axis, what, unit in ((axes[1], "flops", 1e6), (axes[2], "seconds", 1e-3)):
        for name, style in (("Perceiver", "o-"), ("plain Transformer", "k^-")):
            values = np.array(found[name][what]) / unit
            axis.plot(found["pixels"], values, style, label=name)
        axis.set(xscale="log", yscale="log", xlabel="pixels")
        axis.set_xticks(found["pixels"], [f"{count:,}" for count in found["pixels"]])
        axis.minorticks_off()
    axes[1].set_ylabel("MFLOP of a picture, forward")
    axes[2].set_ylabel("milliseconds of a picture, forward")
    for axis in axes:
        axis.legend(fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def verdict(means):
    deeper, more = means[named(8, 32)], means[named(2, 64)]
    base, least = means[named(*BASE)], min(means[named(1, 32)], means[named(2, 8)])
    ends = [(side, side, 1) for side in (SIDES[0], SIDES[-1])]
    ours = np.divide(*[perceiver_flops(end, *BASE) for end in ends[::-1]])
    theirs = np.divide(*[transformer_flops(end) for end in ends[::-1]])
    best = max(value for name, value in means.items() if name.startswith("Perceiver"))
    sentence = (
        f"least {least:.3f}, base {base:.3f}, 8 layers {deeper:.3f}, 64 latents {more:.3f}, "
        f"plain Transformer {means[TRANSFORMER]:.3f}; with 16 times the pixels FLOPs grow "
        f"{ours:.1f}-fold, those of the Transformer {theirs:.1f}-fold"
    )
    near = best > means[TRANSFORMER] - 0.02
    return max(deeper, more) > least + 0.01 and near and theirs > 2 * ours, sentence


EXPERIMENT = Experiment(
    name="depth_and_latents",
    title="Depth, latents and cost",
    claim="Cost is linear in the inputs, MN + LN^2 in place of LM^2, and depth does not multiply "
    "it; more latents and deeper models are better; a plain Transformer on 64 x 64 pixels has 57.0 "
    "on ImageNet and Perceiver 78.0 on 224 x 224 (Perceiver, sections 3.1 and 4.1, appendix)",
    unit="accuracy",
    variants={
        **{named(*pair): trained(*pair) for pair in TRIED},
        TRANSFORMER: trained_transformer,
        "majority class": majority_class,
    },
    verdict=verdict,
    data="animal silhouettes",
    steps=300,
    baselines=(TRANSFORMER, "majority class"),
    needs_data=options_of(size=14),
)


def main(arguments=None):
    scores = run(EXPERIMENT, __doc__, arguments)
    options = EXPERIMENT.parser(__doc__).parse_args(arguments)
    if options.results:
        found = curves()
        path = options.results / f"{EXPERIMENT.name}_curves.json"
        path.write_text(json.dumps(found, indent=1) + "\n")
        shape = recipe_of(options).inputs
        draw(scores, shape, found, options.results / f"{EXPERIMENT.name}.png")


if __name__ == "__main__":
    main()
