"""The experiments on texts run from start to end, on a few made-up texts and for two steps."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("sklearn")

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).parents[2] / "examples" / "papers"
TINY = ["--steps", "2", "--batch_size", "8"]
FEW_BYTES = ["--max_length", "17"]
# name, configuration, number of classes
DATA = (
    ("language_bytes", None, 79),
    ("film_reviews", "reviews", 2),
    ("film_reviews", "reviews_and_plots", 3),
)


@pytest.fixture(autouse=True)
def importable(monkeypatch, no_local_start):
    monkeypatch.syspath_prepend(str(PAPERS))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Random words under the names of the true data sets, whose packages need not be installed."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(7)
    words = ["grün", "film", "of", "дом", "のは", "a", "three", "plots"]

    def examples(count, classes, name):
        for index in range(count):
            text = " ".join(random.choice(words, 1 + index % 9))
            example = {"text": text, "label": index % classes}
            if name == "film_reviews":
                yield index, {**example, "kind": index % 2, "film": "none"}
            else:
                yield index, {**example, "message": text}

    for name, config, classes in DATA:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(num_classes=classes),
        }
        if name == "film_reviews":
            features["kind"] = tfds.features.ClassLabel(num_classes=2)
            features["film"] = tfds.features.Text()
        else:
            features["message"] = tfds.features.Text()
        tfds.dataset_builders.store_as_tfds_dataset(
            name,
            "1.0.0",
            tfds.features.FeaturesDict(features),
            {
                split: list(examples(count, classes, name))
                for split, count in (("train", 1003), ("validation", 3), ("test", 19))
            },
            config=config,
            data_dir=folder,
        )
    return str(folder)


def scores_of(name, data_dir, *arguments):
    """Runs an experiment; its scores, one seed."""
    module = importlib.import_module(name)
    start = getattr(module, "main", None)
    given = ["--data_dir", data_dir, *TINY, *arguments]
    if start is not None:
        found = start(given)
    else:
        found = importlib.import_module("experiment").run(module.EXPERIMENT, "", given)
    for variant, scores in found.items():
        assert len(scores) == 1 and 0 <= scores[0] <= 1, variant
    return found


def options_of(name, data_dir, *arguments):
    parser = importlib.import_module(name).EXPERIMENT.parser("")
    return parser.parse_args(["--data_dir", data_dir, *TINY, *arguments])


# Masked bytes.


def test_masked_bytes_in_both_ways(data_dir):
    where = "language_bytes, 500 labels: "
    names = [where + name for name in ("pretrained", "from scratch", "byte n-grams")]
    found = scores_of(
        "masked_bytes", data_dir, *FEW_BYTES, "--pretraining_steps", "2", "--only", *names
    )
    assert list(found) == names


def test_other_tasks_have_other_rows(data_dir):
    name = "film_reviews/reviews_and_plots: most frequent class"
    arguments = ("--tasks", "film_reviews/reviews_and_plots", "--only", name)
    # 1003 training labels 0, 1, 2, 0, ...: the most frequent is 0, which 7 of 19 are.
    assert scores_of("masked_bytes", data_dir, *arguments) == {name: [7 / 19]}


def test_the_pretrained_encoder_is_what_is_fine_tuned(data_dir):
    module = importlib.import_module("masked_bytes")
    options = options_of("masked_bytes", data_dir, *FEW_BYTES, "--pretraining_steps", "1")
    source = module.pretrained(3, options).encoder.get_weights()
    tuned = module.classifier(3, options, 5, "pretrained")
    scratch = module.classifier(3, options, 5, "scratch")
    for expected, found in zip(source, tuned.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    same = [np.array_equal(a, b) for a, b in zip(source, scratch.encoder.get_weights())]
    assert not all(same)
    for one, other in zip(tuned.decoder.get_weights(), scratch.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_masked_are_a_share_of_the_bytes(data_dir):
    module = importlib.import_module("masked_bytes")
    options = options_of("masked_bytes", data_dir, *FEW_BYTES, "--pretraining_batch_size", "300")
    seen = []
    for masked, ids, weights in module.masked(1, options).take(2):
        hidden = weights.numpy() > 0
        assert (ids.numpy()[hidden] >= 6).all()
        assert (masked.numpy()[hidden] == 3).all()
        np.testing.assert_array_equal(masked.numpy()[~hidden], ids.numpy()[~hidden])
        seen.append(hidden.sum() / (ids.numpy() > 0).sum())
    assert min(seen) > 0.1 and max(seen) < 0.2 and seen[0] != seen[1]


@pytest.mark.parametrize("gain, shows", [(0.03, True), (-0.01, False)])
def test_verdict_on_masked_bytes(gain, shows):
    experiment = importlib.import_module("masked_bytes").EXPERIMENT
    means = {name: 0.5 + gain * name.endswith("pretrained") for name in experiment.variants}
    found, sentence = experiment.verdict(means)
    assert found == shows and f"{gain:+.3f}" in sentence


# Tokens and bytes.


@pytest.mark.parametrize("kind", ["bytes", "tokens"])
@pytest.mark.parametrize("model", ["Perceiver IO", "Transformer"])
def test_tokens_and_bytes(data_dir, model, kind):
    if kind == "tokens":
        pytest.importorskip("sentencepiece")
    arguments = ("--max_tokens", "7", "--vocab_size", "290", "--only", f"verdict: {model}, {kind}")
    pretraining = "1" if (model, kind) == ("Perceiver IO", "bytes") else "0"
    arguments += ("--pretraining_steps", pretraining)
    scores_of("tokens_and_bytes", data_dir, *FEW_BYTES, *arguments)


def test_tokens_are_those_of_the_training_texts(data_dir):
    pytest.importorskip("sentencepiece")
    module = importlib.import_module("tokens_and_bytes")
    options = options_of("tokens_and_bytes", data_dir, "--vocab_size", "290", "--max_tokens", "11")
    reader, tokenizer = module.tokens_reader(options), module._tokenizer(options)
    assert reader.mask == 2 and 256 < reader.size <= 290
    ids = reader.prepare(tf.constant("three plots of ᚠ")).numpy()
    assert ids.shape == (11,) and ids.max() < reader.size
    text = tokenizer.decode([int(i) for i in ids if i])
    assert text == "three plots of ᚠ"  # by bytes, what the training texts do not have
    assert (ids > 0).sum() < len("three plots of ᚠ".encode())


@pytest.mark.parametrize("length, layers, limit", [(192, 2, 5e7), (48, 3, 3e7), (2048, 6, 1e11)])
def test_transformers_cost_at_most_the_limit(length, layers, limit):
    module = importlib.import_module("tokens_and_bytes")
    width = module.matched_width(length, layers, limit, heads=4)
    assert width % 4 == 0
    assert module.flops(length, width, layers) <= limit < module.flops(length, width + 8, layers)


@pytest.mark.parametrize(
    "tokens, ours, theirs, shows",
    [(0.7, 0.69, 0.6, True), (0.7, 0.6, 0.5, False), (0.7, 0.7, 0.7, False)],
)
def test_verdict_on_tokens_and_bytes(tokens, ours, theirs, shows):
    experiment = importlib.import_module("tokens_and_bytes").EXPERIMENT
    known = {"Perceiver IO, tokens": tokens, "Perceiver IO, bytes": ours}
    known["Transformer, bytes"] = theirs
    means = {name: known.get(name.partition(": ")[2], 0.1) for name in experiment.variants}
    assert experiment.verdict(means)[0] == shows


# Several tasks.


@pytest.mark.parametrize("variant", ["single-task models", "task-specific input tokens"])
def test_multitask(data_dir, variant):
    tasks = ("--tasks", "film_reviews/reviews", "film_reviews/reviews_and_plots:kind")
    arguments = (*FEW_BYTES, *tasks, "--pretraining_steps", "0", "--only", variant)
    scores_of("multitask", data_dir, *arguments)


def test_a_query_for_each_task_learns_from_its_own_examples(data_dir):
    module = importlib.import_module("multitask")
    options = options_of("multitask", data_dir, *FEW_BYTES, "--pretraining_steps", "0")
    setting = module.Setting(0, options)
    assert setting.counts == [79, 2, 2]
    ids, labels, tasks = next(iter(setting.joined(lambda *all: all)))
    assert ids.shape == (24, 17) and labels.shape == (24,)
    assert tasks.numpy().tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert 0 <= module.query_for_each(0, options) <= 1


@pytest.mark.parametrize("query, shows", [(0.82, True), (0.815, False), (0.7, False)])
def test_verdict_on_multitask(query, shows):
    experiment = importlib.import_module("multitask").EXPERIMENT
    means = dict.fromkeys(experiment.variants, 0.81)
    means.update({"multitask query": query, "shared input token": 0.817})
    assert experiment.verdict(means)[0] == shows
