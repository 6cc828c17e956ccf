"""Classification: one learned query, or the mean of the latents."""

import keras

from keras_perceiver import arguments
from keras_perceiver.outputs.learned_queries import LearnedQueries


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Classes(LearnedQueries):
    """A class, or with `multi_label` any number of classes, for each example.

    The model returns logits of shape `(batch, num_classes)`. Targets are whole numbers
    `(batch,)`, or with `multi_label` zeros and ones `(batch, num_classes)`.

    Args:
        num_classes: Number of classes.
        multi_label: Whether classes are independent of each other (sigmoid, not softmax).
        head: "query" (Perceiver IO): a learned query attends to the latents. "mean" (Perceiver):
            the latents are averaged; the head's kernel is initialised to zeros.
        query_dim: Width of the query. Default: the width of the latents.
        hidden_dim: Width of a dense tanh layer before the logits, as in the GLUE heads, or None for
            no such layer.

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> kp.build_perceiver_io(kp.Array((28, 28, 1)), kp.Classes(10))

    Reference: Perceiver IO (arXiv 2107.14795), section 4.4 and appendix F.4; Perceiver
    (arXiv 2103.03206), appendix C.
    """

    kind = "classes"
    num_queries = 1

    def __init__(
        self, num_classes, multi_label=False, head="query", query_dim=None, hidden_dim=None
    ):
        self.num_classes = arguments.whole_number("num_classes", num_classes)
        self.multi_label = arguments.flag("multi_label", multi_label)
        self.head = arguments.one_of("head", head, ("query", "mean"))
        self.query_dim = arguments.optional_whole_number("query_dim", query_dim)
        self.hidden_dim = arguments.optional_whole_number("hidden_dim", hidden_dim)

    @property
    def pools_latents(self):
        return self.head == "mean"

    @property
    def output_dim(self):
        return self.num_classes

    @property
    def shape(self):
        return (self.num_classes,)

    @property
    def head_initializer(self):
        return "zeros" if self.pools_latents else None

    def default_loss(self):
        if self.multi_label:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self):
        if self.multi_label:
            return [
                keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy"),
                keras.metrics.AUC(from_logits=True, name="auc"),
            ]
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def get_config(self):
        return {
            "num_classes": self.num_classes,
            "multi_label": self.multi_label,
            "head": self.head,
            "query_dim": self.query_dim,
            "hidden_dim": self.hidden_dim,
        }
