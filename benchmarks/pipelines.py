"""Whether input pipelines keep up: training from a pipeline against training on a batch in memory.

    python benchmarks/pipelines.py          (writes benchmarks/results/pipelines.md)

Each row uses a small model, so that steps are short and the pipeline has little time. The two ways
are measured in turn; "fed" is the time of a step with the pipeline over the time of a step without.
"""

import argparse
import itertools
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import tensorflow as tf

import keras_perceiver as kp
from benchmarks.machine import machine

SIZES = {"num_latents": 32, "latent_dim": 64, "num_self_attends_per_block": 2}


def digits(random, examples=2048):
    """Arrays of 8 x 8 pixels, shuffled, shifted, with noise: as in examples/digits.py."""

    def augment(images, seed):
        return kp.data.random_noise(kp.data.random_shift(images, seed), seed)

    images = random.normal(size=(examples, 8, 8, 1)).astype("float32")
    labels = random.integers(10, size=examples)
    batches = kp.data.from_arrays(
        images, labels, 32, num_classes=10, shuffle=True, seed=0, augment=augment
    )
    return kp.build_classifier((8, 8, 1), 10, **SIZES), batches


def photographs(random, examples=64):
    """JPEG files of 280 x 280 pixels, decoded, stretched to 224 x 224 and shifted."""
    pixels = random.integers(256, size=(examples, 35, 35, 3), dtype="uint8")
    pixels = pixels.repeat(8, axis=1).repeat(8, axis=2)
    files = [tf.io.encode_jpeg(image).numpy() for image in pixels]
    labels = random.integers(10, size=examples)

    def decoded(file, label):
        return kp.data.image_pixels(file, 224, 224), label

    def shifted(batch, seed):
        images, labels = batch
        return kp.data.random_shift(images, seed, 16), labels

    seeds = tf.data.Dataset.random(0).batch(2)
    batches = (
        tf.data.Dataset.from_tensor_slices((files, labels))
        .map(decoded, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(8)
    )
    batches = tf.data.Dataset.zip(batches, seeds)
    batches = batches.map(shifted, num_parallel_calls=tf.data.AUTOTUNE)
    model = kp.build_classifier((224, 224, 3), 10, **{**SIZES, "num_latents": 64})
    return model, batches.prefetch(tf.data.AUTOTUNE)


def texts(random, examples=256, length=2048):
    """Texts to 2,048 byte ids, of which whole words are hidden."""
    words = ["".join(map(chr, random.integers(97, 123, size=n))) for n in range(1, 12)]
    many = [" ".join(random.choice(words, size=length // 6)) for _ in range(examples)]
    batches = tf.data.Dataset.from_tensor_slices(many).batch(8)
    batches = batches.map(lambda text: kp.data.text_ids(text, length))
    model = kp.build_masked_language_model(length, 262, dim=64, **SIZES)
    return model, kp.data.masked_words(batches, seed=0).prefetch(tf.data.AUTOTUNE)


def loaded_pictures(random):
    """kp.data.load of PNG files of 28 x 28 pixels, shuffled, decoded, shifted; 64 in a batch."""
    recipe = kp.data.recipe("animal_silhouettes", data_dir=PREPARED)
    batches = kp.data.load(
        recipe, "train", data_dir=PREPARED, batch_size=64, augment=kp.data.random_shift
    )
    return kp.build_classifier(recipe.inputs, recipe.num_classes, **SIZES), batches


def loaded_texts(random):
    """kp.data.load of short texts in 79 languages, shuffled, as bytes; 64 in a batch."""
    recipe = kp.data.recipe("language_bytes", data_dir=PREPARED)
    batches = kp.data.load(recipe, "train", data_dir=PREPARED, batch_size=64)
    return kp.build_classifier(recipe.inputs, recipe.num_classes, **SIZES), batches


def loaded_clips(random):
    """kp.data.load of clips of 8 x 20 x 20 pixels with sound, shuffled; 32 in a batch."""
    recipe = kp.data.recipe("moving_digits", data_dir=PREPARED)
    batches = kp.data.load(recipe, "train", data_dir=PREPARED, batch_size=32)
    return kp.build_perceiver_io(recipe.inputs, recipe.outputs, **SIZES), batches


PREPARED = None  # the directory of TensorFlow Datasets
ROWS = (digits, photographs, texts, loaded_pictures, loaded_texts, loaded_clips)
ROWS = {row.__name__: row for row in ROWS}


class StepTimes(keras.callbacks.Callback):
    """Seconds from the end of one step to the end of the next."""

    def on_train_begin(self, logs=None):
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(time.perf_counter())

    def mean(self):
        return mean_interval(self.ends)


def mean_interval(moments):
    """The mean interval without the first quarter, in which iterators start and buffers fill."""
    late = moments[len(moments) // 4 :]
    return (late[-1] - late[0]) / (len(late) - 1)


def measure(row, steps, rounds):
    model, batches = row(np.random.default_rng(0))
    batches = batches.repeat()
    in_memory = tf.data.Dataset.from_tensors(next(iter(batches))).cache().repeat()

    def step_from(dataset):
        times = StepTimes()
        model.fit(dataset, steps_per_epoch=steps, shuffle=False, callbacks=[times], verbose=0)
        return times.mean()

    def alone():
        return mean_interval([time.perf_counter() for _ in itertools.islice(batches, steps)])

    step_from(in_memory)
    ways = {
        "alone": alone,
        "in_memory": lambda: step_from(in_memory),
        "pipeline": lambda: step_from(batches),
    }
    taken = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way())
    found = {name: statistics.median(times) for name, times in taken.items()}
    pairs = zip(taken["pipeline"], taken["in_memory"], strict=True)
    found["fed"] = statistics.median(a / b for a, b in pairs)
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=ROWS)
    parser.add_argument("--steps", type=int, default=40, help="in each turn")
    parser.add_argument("--rounds", type=int, default=5)
    default = Path(__file__).parent / "results" / "pipelines.md"
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--data_dir", help="directory of prepared data sets")
    options = parser.parse_args(arguments)
    global PREPARED
    PREPARED = options.data_dir
    here = machine()
    lines = [
        f"Machine: {here['cpu']}, {here['cores']} cores. Medians of {options.rounds} turns of "
        f"{options.steps} steps.",
        "",
        "| Pipeline | A batch alone, ms | A step in memory, ms | A step from it, ms | Fed |",
        "|---|---|---|---|---|",
    ]
    for name in options.rows:
        found = measure(ROWS[name], options.steps, options.rounds)
        times = [f"{1000 * found[way]:.1f}" for way in ("alone", "in_memory", "pipeline")]
        lines.append(f"| {ROWS[name].__doc__} | {' | '.join(times)} | {found['fed']:.2f} |")
        print(lines[-1], flush=True)
    lines += ["", "Written by `python benchmarks/pipelines.py`."]
    options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
