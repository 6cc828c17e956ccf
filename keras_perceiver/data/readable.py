"""Reads examples, and names, skips and counts those that cannot be read."""

import warnings

import tensorflow as tf


def readable(examples, read, name, corrupt="stop"):
    """`examples.map(read)`, for elements `(id, example)`, where one that cannot be read is named.

    Args:
        examples: Pipeline of pairs: a string that tells where the example comes from, and what
            `read` takes.
        read: Function in TensorFlow ops that may raise an error when run.
        name: Of the data set, for messages.
        corrupt: "stop": an error with the id of the example. "skip": it is left out; a warning
            tells how many so far, at the 1st, 2nd, 4th, 8th, ..., and at the end of each epoch.

    Returns:
        A `tf.data.Dataset` in the order of `examples`.
    """
    plain = examples.map(lambda key, example: read(example))
    spec = plain.element_spec

    def of_one(key, example):
        # A pipeline of one example, so that its error can be caught. What stands in for a broken
        # example has the same shape as a whole one, as far as that is known.
        one = tf.data.Dataset.from_tensors(example).map(read)
        one = one.map(lambda *values: (True, key, _element(values))).ignore_errors()
        instead = tf.data.Dataset.from_tensors((False, key, _empty(spec)))
        return one.concatenate(instead).take(1)

    found = examples.interleave(
        of_one, cycle_length=16, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    if corrupt == "stop":
        return found.map(lambda good, key, value: _or_stop(good, key, value, name))
    count = _Count(name)
    end = tf.data.Dataset.from_tensors((False, "", _empty(spec)))
    found = found.concatenate(end)
    found = found.filter(lambda good, key, value: count.seen(good, key) & good)
    return found.map(lambda good, key, value: value)


class _Count:
    """Counts the examples that were read and skipped in one epoch, and warns.

    Args:
        name: Of the data set, for messages.
    """

    def __init__(self, name):
        self.name, self.read, self.bad = name, 0, 0

    def seen(self, good, key):
        """True, after counting; may warn."""
        return tf.ensure_shape(tf.py_function(self._see, (good, key), tf.bool), ())

    def _see(self, good, key):
        key = key.numpy().decode()
        if good:
            self.read += 1
        elif key:
            self.bad += 1
            if self.bad & (self.bad - 1) == 0:
                warnings.warn(
                    f"{self.bad} examples of {self.name} were skipped so far, because they cannot "
                    f"be read; the last is {key}",
                    stacklevel=2,
                )
        else:
            if self.bad:
                total = self.read + self.bad
                warnings.warn(
                    f"{self.bad} of {total} examples of {self.name} were skipped in this epoch, "
                    "because they cannot be read",
                    stacklevel=2,
                )
            self.read = self.bad = 0
        return True


def _or_stop(good, key, value, name):
    message = (
        f"An example of {name} cannot be read: {{}}. Set corrupt to skip to leave such examples "
        "out and count them"
    )
    with tf.control_dependencies([tf.debugging.Assert(good, [tf.strings.format(message, key)])]):
        return tf.nest.map_structure(tf.identity, value)


def _element(values):
    return values[0] if len(values) == 1 else values


def _empty(spec):
    def zeros(part):
        shape = [size or 1 for size in part.shape]
        return tf.zeros(shape, part.dtype) if part.dtype != tf.string else tf.fill(shape, "")

    return tf.nest.map_structure(zeros, spec)
