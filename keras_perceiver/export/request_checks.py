"""Checks in the served graph: a bad request gets a clear error and has no other effect.

TensorFlow Serving does not check the shapes of a request against the signature, so the graph does.
"""

import numpy as np
import tensorflow as tf

from keras_perceiver.inputs.request_limits import RequestLimits


class RequestChecks:
    """The shape, values and dtype that one named tensor of a request must have.

    Args:
        name: Name of the tensor.
        shape: Its shape with the batch axis; None for an open size.
        largest: Largest size along each axis, including the batch; None for no limit.
        limit: `RequestLimits` of one example. Default: only the shape is limited.
        dtype: Name of its dtype.
    """

    def __init__(self, name, shape, largest, limit=None, dtype="string"):
        limit = limit or RequestLimits(tuple(largest[1:]), None)
        self.name, self.shape, self.largest = name, tuple(shape), largest
        self.below, self.least, self.may_be_nan = limit.below, limit.least, limit.may_be_nan
        self.multiple_of = limit.multiple_of or (1,) * len(self.shape)
        self.usual, self.dtype = limit.usual, dtype

    def __call__(self, tensor):
        """Returns `tensor` unchanged; the graph raises `InvalidArgumentError` if it is wrong."""
        tensor = self._checked(self._fits(tensor), f"have shape {self._wanted()}", tensor)
        if self.below is not None:
            good = tf.reduce_all((tensor >= self.least) & (tensor < self.below))
            most = (np.array(self.below) - 1).tolist()
            wanted = f"be whole numbers from {self.least} to {most}"
            tensor = self._checked(good, wanted, tensor)
        elif tensor.dtype.is_floating and self.may_be_nan:
            good = ~tf.reduce_any(tf.math.is_inf(tensor))
            tensor = self._checked(good, "be finite numbers, or NaN where missing", tensor)
        elif tensor.dtype.is_floating:
            good = tf.reduce_all(tf.math.is_finite(tensor))
            tensor = self._checked(good, "be finite numbers", tensor)
        return tensor

    def _fits(self, tensor):
        shape = tf.shape(tensor)
        rank = len(self.shape)

        def sizes_fit():
            good = tf.ones((), tf.bool)
            for axis, (size, largest, step) in enumerate(
                zip(self.shape, self.largest, self.multiple_of)
            ):
                have = shape[axis]
                if size is not None:
                    good &= tf.equal(have, size)
                    continue
                good &= (have >= 1) & tf.equal(have % step, 0)
                if largest is not None:
                    good &= have <= largest
            return good

        return tf.cond(tf.equal(tf.size(shape), rank), sizes_fit, lambda: tf.zeros((), tf.bool))

    def _wanted(self):
        sizes = []
        for axis, (size, largest) in enumerate(zip(self.shape, self.largest)):
            if size is None:
                size = "1 or more" if largest is None else f"1 to {largest}"
                if self.multiple_of[axis] > 1:
                    size += f" by {self.multiple_of[axis]}"
            sizes.append(f"batch: {size}" if axis == 0 else str(size))
        return f"({', '.join(sizes)})"

    def _checked(self, good, wanted, tensor):
        received = tf.strings.format("Received: shape {}", tf.shape(tensor))
        stop = tf.debugging.Assert(good, [f"`{self.name}` must {wanted}.", received])
        with tf.control_dependencies([stop]):
            tensor = tf.identity(tensor)
        return tensor


def check_same_batch(tensors):
    """Returns the tensors unchanged; the graph raises an error if their batch sizes differ."""
    if len(tensors) == 1:
        return tensors
    sizes = tf.stack([tf.shape(tensor)[0] for tensor in tensors.values()])
    message = f"{', '.join(tensors)} must hold the same number of examples. Received: {{}}"
    stop = tf.debugging.Assert(
        tf.reduce_all(tf.equal(sizes, sizes[0])), [tf.strings.format(message, sizes)]
    )
    with tf.control_dependencies([stop]):
        return {name: tf.identity(tensor) for name, tensor in tensors.items()}
