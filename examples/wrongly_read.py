"""What does a model attend to where it is right, and where it is wrong? Bytes and tables.

    pip install '.[examples]'
    python examples/wrongly_read.py --figures docs/pictures

Trains two small Perceivers: one tells six languages apart by the bytes of a sentence, the other
benign from malignant tumours by thirty columns of numbers. Of each, it draws the attention for
three test examples that were read rightly and three that were read wrongly. Pictures of silhouettes
are in examples/look_inside.py. It takes three minutes on two cores.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

import keras_perceiver as kp

LANGUAGES = {"da": "Danish", "nb": "Norwegian", "sv": "Swedish", "de": "German", "nl": "Dutch",
             "is": "Icelandic"}  # fmt: skip
LENGTH = 96  # bytes, three lines of a picture


def sentences(split, data_dir):
    """Ids of bytes (n, 96), and which of the languages each is."""
    recipe = kp.data.recipe("language_bytes", data_dir=data_dir, max_length=LENGTH)
    codes = [recipe.class_names.index(code) for code in LANGUAGES]
    batches = kp.data.load(recipe, split, batch_size=512, shuffle=False, data_dir=data_dir)
    ids, labels = (np.concatenate(part) for part in zip(*batches.as_numpy_iterator()))
    wanted = np.isin(labels, codes) & ((ids != 0).sum(axis=1) >= 24)
    return ids[wanted], np.array([codes.index(label) for label in labels[wanted]])


def languages(steps, data_dir):
    """Attention to bytes."""
    model = kp.build_classifier({"text": kp.Text(LENGTH)}, len(LANGUAGES), num_latents=16)
    ids, labels = sentences("train", data_dir)
    epochs = -(-steps * 32 // len(ids))
    model.fit({"text": ids}, labels, batch_size=32, epochs=epochs, verbose=2)
    ids, labels = sentences("test", data_dir)
    return drawn(model, {"text": ids}, labels, [*LANGUAGES.values()], "Which language is it?")


def tumours(steps, data_dir):
    """Attention to the columns of a table."""
    data = load_breast_cancer()
    rows = dict(zip(data.feature_names.tolist(), data.data.T))
    order = np.random.default_rng(0).permutation(len(data.target))
    train, test = order[:300], order[300:]
    table = kp.data.describe_table({name: column[train] for name, column in rows.items()})
    model = kp.build_classifier(table.input, 2, num_latents=8)
    numbers = table(rows)
    model.fit(numbers[train], data.target[train], batch_size=32, epochs=-(-steps // 10), verbose=0)
    names = data.target_names.tolist()
    return drawn(model, numbers[test], data.target[test], names, "Is the tumour malignant?")


def drawn(model, inputs, labels, names, title):
    """Three test examples that are read rightly and three that are read wrongly."""
    found = model.predict(inputs, verbose=0).argmax(-1)
    print(f"{title} {np.mean(found == labels):.3f} of {len(labels)} are read rightly")
    pairs = zip(np.flatnonzero(found == labels)[:3], np.flatnonzero(found != labels)[:3])
    chosen = [number for pair in pairs for number in pair]  # rightly on the left, wrongly beside it
    inputs = keras.tree.map_structure(lambda array: array[chosen], inputs)
    headings = [f"is {names[labels[n]]}, read as {names[found[n]]}" for n in chosen]
    return kp.visualization.plot_attention(
        model, inputs, list(range(len(chosen))), headings=headings, title=title
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--figures", type=Path, default=Path("runs/wrongly_read"))
    parser.add_argument("--data_dir")
    options = parser.parse_args(arguments)
    options.figures.mkdir(parents=True, exist_ok=True)
    for name, draw in {"bytes": languages, "table": tumours}.items():
        keras.utils.set_random_seed(0)
        figure = draw(options.steps, options.data_dir)
        figure.savefig(options.figures / f"{name}.png", dpi=80)
        print(options.figures / f"{name}.png")


if __name__ == "__main__":
    main()
