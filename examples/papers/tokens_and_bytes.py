"""A Perceiver IO on bytes against one on tokens, and plain Transformers of equal cost.

    pip install sentencepiece                     (the tokenizer of the paper)
    python examples/papers/tokens_and_bytes.py
    python examples/papers/tokens_and_bytes.py --seeds 3 --results examples/results

Texts are read as 192 bytes or as 48 of 4,000 SentencePiece tokens, a quarter, as in the paper. The
Perceiver IO is the same, but for its embedding. The plain Transformers are as wide as they may be
to cost no more than the Perceiver IO on bytes: on bytes, attention between all of them leaves less
for the width. All are trained from scratch, in the same steps; the paper pretrains them
(--pretraining_steps).

Not measured yet: the whole command has not been run, with one seed or three.

In the paper's sizes and with its training, on its data:

    python examples/papers/tokens_and_bytes.py --full_size --max_length 2048 --max_tokens 512 \\
        --vocab_size 32000 --corpora c4 wikipedia --pretraining_steps 500000 --steps 20000 \\
        --language glue/mnli --verdict glue/sst2 --data_dir DIRECTORY
"""

import dataclasses
import io

import keras
import numpy as np
import tensorflow as tf
from experiment import Experiment, accuracy, arrays, fit, run
from texts import byte_ngrams, hidden

import keras_perceiver as kp
from keras_perceiver.extras import require
from keras_perceiver.inputs.byte_vocabulary import MASK, NUM_SPECIAL

TASKS = {"language": "language_bytes", "verdict": "film_reviews/reviews"}
_TOKENIZERS = {}  # corpora and size of the vocabulary: the tokenizer
_PRETRAINED = {}  # seed, kind and maker: weights of a masked language model


@dataclasses.dataclass
class Reader:
    """How texts become whole numbers; 0 is padding.

    Args:
        length: Numbers of a text.
        size: How many different numbers there are.
        mask: Number that hides others in pretraining.
        first: Least number that stands for text.
        prepare: Function from the string of one text to numbers `(length,)`.
    """

    length: int
    size: int
    mask: int
    first: int
    prepare: object


def bytes_reader(options):
    length = options.max_length
    return Reader(
        length,
        NUM_SPECIAL + 256,
        MASK,
        NUM_SPECIAL,
        lambda text: kp.data.text_ids(text, length),
    )


def tokens_reader(options):
    """SentencePiece's unigram model, learned from the training texts."""
    tokenizer, length = _tokenizer(options), options.max_tokens

    def encode(text):
        text = np.asarray(text).item().decode(errors="replace")
        ids = np.array(tokenizer.encode(text)[:length], "int32")
        return np.pad(ids, (0, length - len(ids)))

    def prepare(text):
        ids = tf.numpy_function(encode, [text], tf.int32)
        return tf.ensure_shape(ids, (length,))

    return Reader(length, tokenizer.vocab_size(), tokenizer.piece_to_id("[MASK]"), 3, prepare)


def _tokenizer(options):
    sentencepiece = require("sentencepiece", "examples")
    names = _corpora(options)
    key = (*names, options.vocab_size)
    if key not in _TOKENIZERS:
        texts = (
            text.decode(errors="replace")
            for name in names
            for text, *_ in _load(name, "train", options, str, shuffle=False, batch_size=None)
            .take(options.tokenizer_texts)
            .as_numpy_iterator()
        )
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=texts,
            model_writer=model,
            vocab_size=options.vocab_size,
            hard_vocab_limit=False,  # fewer, if the texts do not have so many
            character_coverage=0.98,  # other characters are made of bytes
            byte_fallback=True,
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            user_defined_symbols=["[MASK]"],  # is 2
            minloglevel=2,
        )
        _TOKENIZERS[key] = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return _TOKENIZERS[key]


READERS = {"bytes": bytes_reader, "tokens": tokens_reader}
PRESETS = {
    "bytes": "perceiver_io_language_bytes",
    "tokens": "perceiver_io_language_sentencepiece",
}


def _corpora(options):
    return options.corpora or [options.language, options.verdict]


def _load(name, split, options, prepare, **arguments):
    prepare = (lambda text: text) if prepare is str else prepare
    return kp.data.load(name, split, data_dir=options.data_dir, prepare=prepare, **arguments)


def masked(seed, reader, options):
    """Batches of all corpora, mixed, with 15 % of the bytes or tokens masked."""
    texts = [
        _load(name, "train", options, reader.prepare, seed=seed, batch_size=None)
        for name in _corpora(options)
    ]
    texts = [one.map(lambda ids, *targets: ids).repeat() for one in texts]
    mixed = tf.data.Dataset.sample_from_datasets(texts, seed=seed)
    return hidden(mixed.batch(options.batch_size), reader.mask, reader.first, seed)


def perceiver(kind, reader, num_classes, options):
    """A classifier, a masked language model, and what moves the weights of one to the other."""
    model = perceiver_classifier(kind, reader, num_classes, options)
    width, sizes = _sizes(kind, options)
    if not options.pretraining_steps:
        return model, None, None
    language_model = kp.build_masked_language_model(reader.length, reader.size, dim=width, **sizes)
    return model, language_model, lambda: kp.transfer(language_model, model)


def perceiver_classifier(kind, reader, num_classes, options):
    width, sizes = _sizes(kind, options)
    if options.full_size:
        sizes = {**sizes, "query_dim": width, "use_query_residual": False}
    return kp.build_classifier(kp.Text(reader.length, reader.size, width), num_classes, **sizes)


def _sizes(kind, options):
    """The width of the embedding, and the other sizes: the paper's, or what builders choose."""
    if not options.full_size:
        return options.width, {}
    sizes = dict(kp.presets.get(PRESETS[kind]).arguments)
    width = sizes.pop("dim")
    return width, {k: v for k, v in sizes.items() if k not in ("max_length", "vocab_size")}


def plain_transformer(kind, reader, num_classes, options):
    """The same of a Transformer that costs at most as much as the Perceiver IO on bytes."""
    like = perceiver_classifier("bytes", bytes_reader(options), num_classes, options)
    limit = kp.costs(like).flops
    layers = {"tokens": 12, "bytes": 6}[kind] if options.full_size else 2
    heads = 8 if options.full_size else 4
    width = matched_width(reader.length, layers, limit, heads)
    print(f"{kind}: Transformer of width {width}, {layers} layers; {limit / 1e6:,.1f} MFLOP")
    trunk = transformer(reader, width, layers, heads)
    ids = keras.Input((reader.length,), dtype="int32")
    is_text = keras.ops.expand_dims(keras.ops.cast(ids != 0, "float32"), -1)
    found = trunk(ids)
    mean = keras.ops.sum(found * is_text, axis=1) / (keras.ops.sum(is_text, axis=1) + 1e-6)
    classifier = keras.Model(ids, keras.layers.Dense(num_classes)(mean))
    language_model = keras.Model(ids, keras.layers.Dense(reader.size)(found))
    for model in (classifier, language_model):
        loss = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        model.compile(kp.AveragedAdamW(1e-3), loss)
    return classifier, language_model, lambda: None  # they share the trunk


def transformer(reader, width, layers, heads):
    """From ids `(batch, length)` to `(batch, length, width)`; layers normalise first."""
    ids = keras.Input((reader.length,), dtype="int32")
    places = keras.ops.arange(reader.length)
    x = keras.layers.Embedding(reader.size, width)(ids)
    x = x + keras.layers.Embedding(reader.length, width)(places)
    mask = keras.ops.expand_dims(ids != 0, 1)
    for _ in range(layers):
        normal = keras.layers.LayerNormalization()(x)
        attention = keras.layers.MultiHeadAttention(heads, width // heads)
        x = x + attention(normal, normal, attention_mask=mask)
        wide = keras.layers.Dense(4 * width, "gelu")(keras.layers.LayerNormalization()(x))
        x = x + keras.layers.Dense(width)(wide)
    return keras.Model(ids, keras.layers.LayerNormalization()(x))


def flops(length, width, layers):
    """Of the matrix products of a Transformer in a forward pass, a multiply-add being two."""
    return layers * (24 * length * width**2 + 4 * length**2 * width)


def matched_width(length, layers, limit, heads):
    """The greatest width, in steps of two a head, that costs at most `limit`."""
    step = 2 * heads
    width = step
    while flops(length, width + step, layers) <= limit:
        width += step
    return width


def trained(kind, make, task):
    def score(seed, options):
        name, reader = getattr(options, task), READERS[kind](options)
        classes = kp.data.recipe(name, data_dir=options.data_dir).num_classes
        keras.utils.set_random_seed(seed)
        model, language_model, move = make(kind, reader, classes, options)
        if options.pretraining_steps:
            key = (seed, kind, make, options.pretraining_steps)
            if key not in _PRETRAINED:
                steps = options.pretraining_steps
                _compile(language_model, "masked_language_model", steps, options)
                fit(language_model, masked(seed, reader, options), steps, shuffle=False)
                _PRETRAINED[key] = language_model.get_weights()
            language_model.set_weights(_PRETRAINED[key])
            move()
        _compile(model, "glue", options.steps, options)
        train, test = (
            _load(name, split, options, reader.prepare, seed=seed, batch_size=options.batch_size)
            for split in ("train", "test")
        )
        return accuracy(fit(model, train, options.steps, shuffle=False), test)

    return score


def _compile(model, recipe, steps, options):
    """As the paper trains; the small models stay as they are."""
    if options.full_size:
        found = kp.training.recipe(recipe, batch_size=options.batch_size, steps=steps)
        model.compile(found.optimizer(), model.loss)


def ngrams(task):
    def score(seed, options):
        reader = bytes_reader(options)
        train, test = (
            arrays(_load(getattr(options, task), split, options, reader.prepare, batch_size=256))
            for split in ("train", "test")
        )
        return byte_ngrams(train, test, seed)

    return score


def verdict(means):
    def mean(kind):
        return np.mean([means[f"{task}: {kind}"] for task in TASKS])

    lost = mean("Perceiver IO, tokens") - mean("Perceiver IO, bytes")
    ahead = mean("Perceiver IO, bytes") - mean("Transformer, bytes")
    sentence = (
        f"mean of both tasks: Perceiver IO loses {lost:.3f} by bytes in place of tokens; on bytes "
        f"it is {ahead:+.3f} against a Transformer of equal cost"
    )
    return lost < 0.02 and ahead > 0.02, sentence


EXPERIMENT = Experiment(
    name="tokens_and_bytes",
    title="Tokens and bytes",
    claim="GLUE at equal cost: Perceiver IO 81.2 on SentencePiece tokens, 81.0 on bytes; BERT 81.1 "
    "on tokens, 71.5 on bytes (Perceiver IO, table 1)",
    unit="accuracy",
    variants={
        f"{task}: {name}": score
        for task in TASKS
        for name, score in {
            "Perceiver IO, tokens": trained("tokens", perceiver, task),
            "Perceiver IO, bytes": trained("bytes", perceiver, task),
            "Transformer, tokens": trained("tokens", plain_transformer, task),
            "Transformer, bytes": trained("bytes", plain_transformer, task),
            "byte n-grams": ngrams(task),
        }.items()
    },
    verdict=verdict,
    data="messages in 79 languages, and film reviews",
    steps=600,
    baselines=tuple(
        f"{task}: {name}"
        for task in TASKS
        for name in ("Transformer, tokens", "Transformer, bytes", "byte n-grams")
    ),
    needs_data=(
        *((f"--{task}", {"default": name, "metavar": "DATASET"}) for task, name in TASKS.items()),
        ("--corpora", {"nargs": "+", "help": "for pretraining and tokens; default: the tasks'"}),
        ("--pretraining_steps", {"type": int, "default": 0}),
        ("--batch_size", {"type": int, "default": 32}),
        ("--max_length", {"type": int, "default": 192, "help": "bytes"}),
        ("--max_tokens", {"type": int, "default": 48, "help": "a quarter, as in the paper"}),
        ("--vocab_size", {"type": int, "default": 4000, "help": "tokens"}),
        ("--tokenizer_texts", {"type": int, "default": 100_000, "help": "of each corpus"}),
        ("--width", {"type": int, "default": 128, "help": "of embeddings"}),
        ("--full_size", {"action": "store_true", "help": "the paper's sizes and training"}),
    ),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
