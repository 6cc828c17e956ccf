"""The class or classes of an example, however a data set stores them."""

import tensorflow as tf


class Answer:
    """Reads a label, or several of an example as zeros and ones.

    Args:
        features: The features of a data set, as TFDS describes them.
        label: Name of the feature, or a tuple of names for one within others: a class, a sequence
            of classes, or zeros and ones for every class.
    """

    def __init__(self, features, label):
        self.path = (label,) if isinstance(label, str) else tuple(label)
        feature = self._part(features)
        self.is_sequence = hasattr(feature, "feature")  # of TFDS: what is in the sequence
        feature = feature.feature if self.is_sequence else feature
        self.several = self.is_sequence or len(feature.shape) > 0
        self.num_classes = getattr(feature, "num_classes", None) or feature.shape[0]
        self.names = tuple(feature.names) if hasattr(feature, "names") else None

    def __call__(self, features):
        """int32 `()`, or float32 `(num_classes,)` if there may be several."""
        found = self._part(features)
        if self.is_sequence:
            found = tf.reduce_max(tf.one_hot(tf.reshape(found, (-1,)), self.num_classes), axis=0)
            return tf.maximum(found, 0)  # of no label at all
        return tf.cast(found, tf.float32 if self.several else tf.int32)

    def _part(self, features):
        for key in self.path:
            features = features[key]
        return features
