"""A ready pipeline from the name of a data set."""

import inspect
import re

import numpy as np
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.data.bucketed import ascending, bucketed
from keras_perceiver.data.check_labels import check_labels
from keras_perceiver.data.dataset_builder import dataset_builder, prepare_once
from keras_perceiver.data.readable import readable
from keras_perceiver.data.recipe import recipe
from keras_perceiver.data.recipes import Recipe
from keras_perceiver.extras import require

_ID = "tfds_id"


def load(
    name,
    split: str = "train",
    *,
    data_dir=None,
    source_dir=None,
    download: bool = True,
    batch_size: int | None = 32,
    shuffle: bool | None = None,
    shuffle_buffer: int = 10_000,
    seed: int = 0,
    prepare=None,
    augment=None,
    cache: bool = False,
    buckets=None,
    drop_remainder: bool = False,
    corrupt: str = "stop",
    worker: tuple[int, int] = (0, 1),
    service: str | None = None,
    **sizes,
) -> tf.data.Dataset:
    """Makes a pipeline of a data set, by its name, that `fit` takes as it is.

    The data set is one of TensorFlow Datasets, or one of ours in the same form; docs/data.md lists
    them. If it was not prepared in `data_dir` before, it is: downloaded, read from an installed
    package, made, or converted from the user's own files.

    Args:
        name: Name of a data set (`kp.data.names()`), or a `Recipe`.
        split: "train", "validation" or "test", as the recipe divides the data (`Recipe.splits`), or
            an expression of TFDS such as "train[:10%]".
        data_dir: Directory of prepared data sets. Default: that of TFDS.
        source_dir: Directory with the user's own files, for those data sets that need them.
        download: Whether the data set may be prepared, if it was not.
        batch_size: Examples in a batch; None: single examples.
        shuffle: Whether to shuffle anew in each epoch. Default: in splits that begin with "train".
        shuffle_buffer: Examples among which the next is drawn; encoded ones, unless `cache`.
        seed: Fixes the order and the augmentation: they are the same in every run, and differ
            between epochs.
        prepare: Function or layer in place of the recipe's own, from the raw inputs of one example
            to the inputs of the model, such as `model.preparation` of a published model.
        augment: Function of a batch of inputs and a seed; see `from_arrays`. Or of a batch of
            inputs, its targets and a seed, which returns both, such as `mix_up`.
        cache: Whether to keep the prepared examples in memory after the first epoch.
        buckets: Ascending lengths, for inputs of open length: batches are padded to one of these;
            see `bucketed`.
        drop_remainder: Whether to drop the last batch if it is smaller.
        corrupt: What to do about an example that cannot be read: "stop" with an error that names
            it, or "skip" it with a warning that counts.
        worker: `(index, count)`: only this part of `count` equal parts of the split, for programs
            that feed each worker by themselves. `kp.training.fit` divides batches itself.
        service: Address of a dispatcher of tf.data service, such as "grpc://localhost:5000": its
            workers read and prepare the examples. Each comes once in an epoch, in an order that
            depends on their speed, whatever `seed`.
        **sizes: As of `recipe`.

    Returns:
        A `tf.data.Dataset` of `(inputs, targets)`, or `(inputs, targets, weights)` where parts of
        the targets are unknown.

    Raises:
        ValueError: if there is no such data set or split, or an argument is wrong. Nothing
            half-written is left if a data set cannot be prepared.
        FileNotFoundError: if `source_dir` does not exist.
        ImportError: if TensorFlow Datasets, or the package with the data, is not installed.

    Example:

    >>> train = kp.data.load("optical_digits", "train", batch_size=32)
    >>> model = kp.build_classifier((8, 8, 1), num_classes=10)
    >>> model.fit(train, validation_data=kp.data.load("optical_digits", "validation"), epochs=5)
    """
    arguments.one_of("corrupt", corrupt, ("stop", "skip"))
    for flag, value in (("download", download), ("cache", cache)):
        arguments.flag(flag, value)
    arguments.flag("drop_remainder", drop_remainder)
    arguments.optional_flag("shuffle", shuffle)
    arguments.optional_whole_number("batch_size", batch_size)
    arguments.whole_number("shuffle_buffer", shuffle_buffer)
    arguments.whole_number("seed", seed, at_least=0)
    for argument, value in (("prepare", prepare), ("augment", augment)):
        if value is not None and not callable(value):
            raise ValueError(f"`{argument}` must be a function. Received: {argument}={value!r}")
    index, count = _worker(worker)
    if service is not None and not re.fullmatch(r"grpc://.+:\d+", str(service)):
        raise ValueError(
            "`service` must be an address such as 'grpc://localhost:5000'. Received: "
            f"service={service!r}"
        )
    if service is not None and (corrupt == "skip" or count > 1):
        raise ValueError(
            "`service` divides the examples among workers that cannot count: it takes "
            f"corrupt='stop' and worker=(0, 1). Received: corrupt={corrupt!r}, worker={worker}"
        )
    where = {"data_dir": data_dir, "source_dir": source_dir}
    if isinstance(name, Recipe):
        arguments.check_known("load", sizes, ())
        known = name
    else:
        known = recipe(name, **where, **sizes)
    if buckets is not None:
        buckets = ascending("buckets", buckets)
        if not known.open or batch_size is None:
            raise ValueError(
                f"`buckets` are for batches of inputs that differ in length, which those of "
                f"{known.dataset} do not, or for which `batch_size` is None. Received: "
                f"buckets={buckets}"
            )
    if known.open and batch_size is not None and buckets is None:
        raise ValueError(
            f"`buckets` must be given for {known.dataset}, whose inputs differ in length, such as "
            "buckets=(32, 64, 128); or give a length. Received: buckets=None"
        )

    options = dict(known.options)
    if corrupt == "skip" and source_dir is not None:
        options["corrupt"] = "skip"  # also of the files that are converted
    builder = prepare_once(dataset_builder(known.dataset, **where, **options), download)
    if known is not name:  # the splits of a user's own files are known only now
        known = recipe(name, **where, **sizes)
    wanted = _split(known, builder, split)
    length = builder.info.splits[wanted].num_examples
    if length < count:
        raise ValueError(
            f"`split` must have at least one example for each worker. Received: split={split!r} of "
            f"{known.dataset} with {length} examples"
        )
    shuffle = split.startswith("train") if shuffle is None else shuffle
    examples = _encoded(builder, wanted, shuffle, seed, index, count)
    if shuffle and not cache:
        examples = examples.shuffle(min(length, shuffle_buffer), seed=seed)
    examples = _read(examples, builder, known, prepare, corrupt)
    if service is not None:
        examples = _distributed(examples, service)
    if corrupt == "stop":  # otherwise the number is not known
        examples = examples.apply(tf.data.experimental.assert_cardinality(length // count))
    if cache:
        examples = examples.cache()
        if shuffle:
            examples = examples.shuffle(min(length, shuffle_buffer), seed=seed)
    classes = _classes(known.outputs)
    if classes:
        examples = check_labels(examples, classes)
    if batch_size is None:
        return examples.prefetch(tf.data.AUTOTUNE)
    if buckets is not None:
        batches = bucketed(examples, batch_size, buckets, drop_remainder=drop_remainder)
        if corrupt == "stop":  # Keras warns of an end that it does not expect
            number = batches.reduce(np.int64(0), lambda number, _: number + 1)
            batches = batches.apply(tf.data.experimental.assert_cardinality(number))
    else:
        batches = examples.batch(batch_size, drop_remainder=drop_remainder)
    return _augmented(batches, augment, seed).prefetch(tf.data.AUTOTUNE)


def _encoded(builder, split, shuffle, seed, index, count):
    """Pairs of an id and the features as they are stored: pictures and sounds are not decoded."""
    tfds = require("tensorflow_datasets", "data")
    if count > 1:
        split = tfds.even_splits(split, n=count, drop_remainder=True)[index]
    config = tfds.ReadConfig(add_tfds_id=True, shuffle_seed=seed, try_autocache=False)
    config.assert_cardinality = False  # a worker of tf.data service reads a part
    config.interleave_cycle_length = 16 if shuffle else 1
    config.shuffle_reshuffle_each_iteration = True
    late = {key: tfds.decode.SkipDecoding() for key in _late(builder)}
    found = builder.as_dataset(
        split=split, shuffle_files=shuffle, read_config=config, decoders=late or None
    )
    return found.map(lambda features: (features.pop(_ID), features))


def _late(builder):
    """The features that are decoded by us, so that an error can be told from others."""
    tfds = require("tensorflow_datasets", "data")
    kinds = (tfds.features.Image, tfds.features.Video, tfds.features.Audio)
    features = builder.info.features
    return [key for key, feature in features.items() if isinstance(feature, kinds)]


def _read(examples, builder, known, prepare, corrupt):
    features, late = builder.info.features, _late(builder)
    prepare = prepare or known.prepare

    def read(example):
        example = dict(example)
        for key in late:
            example[key] = features[key].decode_example(example[key])
        raw, *rest = known.read(example)
        return (prepare(raw), *rest)

    if late:
        return readable(examples, read, known.dataset, corrupt)
    return examples.map(lambda key, example: read(example), num_parallel_calls=tf.data.AUTOTUNE)


def _distributed(examples, service):
    distribute = tf.data.experimental.service.distribute
    policy = tf.data.experimental.service.ShardingPolicy.DYNAMIC
    return examples.apply(distribute(policy, service=service))


def _augmented(batches, augment, seed):
    if augment is None:
        return batches
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)

    takes_targets = len(_required(augment)) == 3

    def with_seed(batch, pair):
        inputs, *rest = batch
        if takes_targets:
            return augment(inputs, *rest, pair)
        return (augment(inputs, pair), *rest)

    zipped = tf.data.Dataset.zip(batches, seeds)
    return zipped.map(with_seed, num_parallel_calls=tf.data.AUTOTUNE)


def _required(function):
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in parameters if p.kind in kinds and p.default is p.empty]


def _split(known, builder, split):
    if not isinstance(split, str):
        raise ValueError(f"`split` must be a name. Received: split={split!r}")
    wanted = known.splits.get(split, split)
    try:
        builder.info.splits[wanted]
    except (KeyError, ValueError) as error:
        names = sorted({*known.splits, *builder.info.splits})
        raise ValueError(
            f"`split` must be one of {names} of {known.dataset}, or an expression such as "
            f"'train[:10%]'. Received: split={split!r}"
        ) from error
    return wanted


def _classes(outputs):
    """Numbers of classes, as `check_labels` takes them, of the outputs that are labels."""

    def count(output):
        several = getattr(output, "multi_label", True)
        return None if several else output.num_classes

    if not isinstance(outputs, dict):
        return count(outputs)
    return {key: count(output) for key, output in outputs.items() if count(output)}


def _worker(worker):
    if not isinstance(worker, tuple) or len(worker) != 2:
        raise ValueError(f"`worker` must be (index, count). Received: worker={worker!r}")
    count = arguments.whole_number("worker[1]", worker[1])
    index = arguments.whole_number("worker[0]", worker[0], at_least=0)
    if index >= count:
        raise ValueError(
            f"`worker` must have an index below the count. Received: worker={worker!r}"
        )
    return index, count
