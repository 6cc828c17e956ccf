"""What does a classifier look at, and what do its answers depend on?

    pip install '.[examples]'
    python examples/look_inside.py --figures docs/pictures

Trains a Perceiver with two cross-attends on the single pixels of 28 x 28 silhouettes of animals,
prints `kp.describe` and `kp.check`, and draws: the attention for pictures that were read rightly
and wrongly; what single latents read in each cross-attend, as figure 3 of the first paper; and
attention beside integrated gradients. It takes two minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import keras_perceiver as kp

LATENTS = (0, 5, 9, 14, 18, 22, 27, 31)


def trained(steps, data_dir):
    """The model, its data description, and test pictures with their labels."""
    animals = kp.data.recipe("animal_silhouettes", data_dir=data_dir)
    pixels = kp.Image(*animals.inputs, normalize=True)
    model = kp.build_classifier(
        {"image": pixels}, animals.num_classes, num_latents=32, num_cross_attends=2
    )
    train = kp.data.load(animals, "train", batch_size=32, seed=0, data_dir=data_dir)
    train = train.map(lambda images, labels: ({"image": images}, labels))
    print(kp.describe(model), end="\n\n")
    print(kp.check(model, train), end="\n\n")
    model.fit(train.repeat(), steps_per_epoch=steps, epochs=1, verbose=2)
    test = kp.data.load(animals, "test", batch_size=512, shuffle=False, data_dir=data_dir)
    images, labels = (np.asarray(array) for array in next(iter(test)))
    return model, animals, images, labels


def right_and_wrong(model, animals, images, labels):
    """Twelve pictures that were read rightly and twelve that were not, and attention to them."""
    found = model.predict({"image": images}, verbose=0).argmax(-1)
    print(f"{np.mean(found == labels):.3f} of {len(labels)} test pictures are read rightly")
    chosen = [*np.flatnonzero(found == labels)[:12], *np.flatnonzero(found != labels)[:12]]
    maps = kp.visualization.attention_maps(model, {"image": images[chosen]})
    return kp.visualization.draw_attention(
        images[chosen],
        maps["classes"]["image"][:, 0],
        labels[chosen],
        found[chosen],
        animals.class_names,
        columns=12,
        title="Attention where pictures are read rightly, and where wrongly",
    )


def latents_over_cross_attends(model, image):
    """What some latents read in the first and in the second cross-attend."""
    maps = kp.visualization.attention_maps(
        model, {"image": image[None]}, "encoder", latents=list(LATENTS)
    )
    maps = maps["image"][0].reshape(-1, *image.shape[:2])
    return kp.visualization.draw_attention(
        np.repeat(image[None], len(maps), axis=0),
        maps,
        columns=len(LATENTS),
        title="One picture, and what eight latents read: first and second cross-attend",
    )


def beside_gradients(model, images):
    """Attention beside what the answer depends on: red for it, blue against it.

    Colours are full at a percentile of a picture's values, the 98th of contributions and the 99.5th
    of attention, since a single pixel may have several times as much as any other and would leave
    the rest white.
    """
    given = {"image": images}
    maps = kp.visualization.attention_maps(model, given)["classes"]["image"][:, 0]
    added = kp.visualization.integrated_gradients(model, given)["image"]
    figure = Figure(figsize=(1.4 * len(images), 4.4), layout="constrained")
    panels = figure.subplots(3, len(images))
    for column, (image, attention, gradient) in zip(panels.T, zip(images, maps, added)):
        most = np.percentile(np.abs(gradient), 98) or 1.0  # all may be zero
        column[0].imshow(image, cmap="gray_r")
        column[1].imshow(attention, cmap="OrRd", vmin=0, vmax=np.percentile(attention, 99.5))
        column[2].imshow(gradient, cmap="RdBu_r", vmin=-most, vmax=most)
    for axes, name in zip(panels[:, 0], ("picture", "attention", "gradients")):
        axes.set_ylabel(name)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
    return figure


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--figures", type=Path, default=Path("runs/look_inside"))
    parser.add_argument("--data_dir")
    options = parser.parse_args(arguments)
    model, animals, images, labels = trained(options.steps, options.data_dir)
    options.figures.mkdir(parents=True, exist_ok=True)
    figures = {
        "attention": right_and_wrong(model, animals, images, labels),
        "latents": latents_over_cross_attends(model, images[0]),
        "gradients": beside_gradients(model, images[:8]),
    }
    for name, figure in figures.items():
        figure.savefig(options.figures / f"{name}.png", dpi=90)
        print(options.figures / f"{name}.png")


if __name__ == "__main__":
    main()
