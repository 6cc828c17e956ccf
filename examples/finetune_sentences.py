"""Fine-tunes the published language model on your own sentences.

    python examples/finetune_sentences.py letters.txt --weights hf://deepmind/language-perceiver
    python examples/finetune_sentences.py letters.txt --weights DIRECTORY --freeze

The file has one sentence a line; every tenth is kept aside. Words are hidden with probability 0.15,
as in the paper, and the model learns to fill them in. Prints the loss, in nats a hidden byte, on
the sentences kept aside before and after, and writes the model to a directory that `kp.from_preset`
reads. Without a file, the sentences are from Python's manual. Without --weights, the weights are
random: a small model is trained from scratch, and knows little more than which bytes are frequent.
--freeze trains the decoder alone, in a third of the memory.
"""

import argparse
import re
from pathlib import Path

import tensorflow as tf

import keras_perceiver as kp


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="sentences in UTF-8, one a line")
    parser.add_argument("--weights", help="hf://user/name or a directory")
    parser.add_argument("--output", type=Path, default=Path("saved_models/sentences"))
    parser.add_argument("--max-length", type=int, default=256, help="bytes of a sentence")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--freeze", action="store_true", help="keep the encoder as it is")
    parser.add_argument("--quick", action="store_true", help="few sentences, to try the code")
    options = parser.parse_args()

    sentences = read(options)
    held_out, training = sentences[::10], [s for i, s in enumerate(sentences) if i % 10]
    model = load(options)
    if options.freeze:
        model.encoder.trainable = False
        model.compile_from_config(model.get_compile_config())
    train, test = (batches(texts, options, seed) for seed, texts in enumerate((training, held_out)))
    print(f"{len(training)} sentences; {len(held_out)} kept aside")
    before = model.evaluate(test, verbose=0, return_dict=True)["loss"]
    model.fit(train, epochs=1 if options.quick else options.epochs, verbose=2)
    after = model.evaluate(test, verbose=0, return_dict=True)["loss"]
    print(f"loss of hidden bytes: {before:.3f} before, {after:.3f} after")
    model.save_to_preset(options.output, overwrite=True)
    print(f"model: {options.output}")


def load(options):
    if options.weights:
        return kp.from_preset(options.weights, max_length=options.max_length, learning_rate=3e-5)
    print("Warning: the weights are random, so a small model is trained from scratch.")
    return kp.build_masked_language_model(options.max_length)


def read(options):
    if options.file:
        text = Path(options.file).read_text(encoding="utf8")
        lines = [line.strip() for line in text.splitlines()]
    else:
        import pydoc_data.topics

        topics = pydoc_data.topics.topics
        text = re.sub(r"\s+", " ", " ".join(topics[key] for key in sorted(topics)))
        lines = re.split(r"(?<=[a-z]\.) ", text)
    lines = [line for line in lines if 20 <= len(line.encode()) <= options.max_length]
    if len(lines) < 20:
        raise SystemExit(
            f"20 sentences of 20 to {options.max_length} bytes are needed; found {len(lines)}"
        )
    return lines[: 40 if options.quick else None]


def batches(sentences, options, seed):
    """Batches of sentences with hidden words; those kept aside are hidden alike each time."""
    ids = tf.data.Dataset.from_tensor_slices(kp.text_to_ids(sentences, options.max_length))
    if seed == 0:
        ids = ids.shuffle(len(sentences), seed=0)
    masked = kp.data.masked_words(ids.batch(8), seed=seed)
    return masked.cache() if seed else masked


if __name__ == "__main__":
    main()
