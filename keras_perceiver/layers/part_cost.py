"""The costs of blocks in closed form: parameters, FLOPs and kept activations."""

from typing import NamedTuple

from keras_perceiver import arguments


class PartCost(NamedTuple):
    """The cost of a part of a model for one example; sizes are numbers of elements, not bytes.

    `+` adds the costs of two parts, and takes the maximum of `largest` and `chunk`.

    Args:
        parameters: Number of parameters.
        flops: Twice the multiply-adds of its matrix products.
        kept: Elements kept from the forward pass for the backward pass, in the compute dtype.
        kept_scores: The same for attention weights, which are float32 under any policy.
        largest: Temporary elements in the backward pass of its largest block, counted as float32.
        chunk: The same of a step of attention, for the whole batch and not for one example.
    """

    parameters: int = 0
    flops: int = 0
    kept: int = 0
    kept_scores: int = 0
    largest: int = 0
    chunk: int = 0

    def __add__(self, other):
        sums = (a + b for a, b in zip(self[:4], other[:4]))
        return PartCost(*sums, *map(max, self[4:], other[4:]))

    def repeated(self, times):
        """The cost of `times` runs without the parameters, which are counted elsewhere."""
        return PartCost(0, *(times * number for number in self[1:4]), *self[4:])

    def recomputed(self, kept):
        """The cost if only `kept` elements are kept and the others are computed again.

        Half of the others count nevertheless, a value measured with 12 layers on CPUs: TensorFlow
        does not free all arrays of one layer before it recomputes those of the next.
        """
        return self._replace(
            kept=(self.kept + kept) // 2,
            kept_scores=self.kept_scores // 2,
            largest=self.largest + (self.kept + self.kept_scores) // 2,
        )

    def bytes(self, batch, number_size):
        """Bytes of activations at the peak of a training step."""
        kept = self.kept * number_size + 4 * self.kept_scores
        return batch * (kept + 4 * self.largest) + 4 * self.chunk


def dense(rows, width, units, bias=True):
    """A dense layer on `rows` vectors; its result counts as kept."""
    parameters = width * units + (units if bias else 0)
    return PartCost(parameters, 2 * rows * width * units, rows * units)


def feed_forward(rows, width, widening_factor):
    """LayerNorm, dense, activation, dense and residual: the feed-forward part of a block."""
    hidden = widening_factor * width
    both = dense(rows, width, hidden) + dense(rows, hidden, width)
    norm = PartCost(parameters=2 * width, kept=rows * width)
    return both + norm + PartCost(kept=rows * hidden, largest=2 * rows * hidden)


def attention(num_queries, query_dim, num_inputs, input_dim, num_heads, qk, v, dropout=0.0):
    """Projections, scores, weighted sums and output of plain attention, without norms.

    Raises:
        ValueError: if `qk` or `v` is not divisible by `num_heads`.
    """
    arguments.divisible("qk_channels", qk, "num_heads", num_heads)
    arguments.divisible("v_channels", v, "num_heads", num_heads)
    projections = (
        dense(num_queries, query_dim, qk)
        + dense(num_inputs, input_dim, qk)
        + dense(num_inputs, input_dim, v)
        + dense(num_queries, v, query_dim)
    )
    scores = num_heads * num_queries * num_inputs
    return projections + PartCost(
        flops=2 * num_queries * num_inputs * (qk + v),
        kept=num_queries * v,
        kept_scores=scores * (2 if dropout else 1),
        largest=2 * scores + num_inputs * (qk + v + input_dim),
    )


def cross_attention(
    num_queries,
    query_dim,
    num_inputs,
    input_dim,
    num_heads=1,
    qk_channels=None,
    v_channels=None,
    widening_factor=1,
    attention_dropout=0.0,
    memory=None,
):
    """A `CrossAttention` block: two norms, attention, residual, feed-forward block.

    `memory` is what another way than plain attention needs, with its norms; see `way_memory`.
    """
    qk = qk_channels or input_dim
    v = v_channels or qk
    read = attention(
        num_queries, query_dim, num_inputs, input_dim, num_heads, qk, v, attention_dropout
    )
    read += PartCost(
        parameters=2 * query_dim + 2 * input_dim,
        kept=num_queries * query_dim + num_inputs * input_dim,
    )
    if memory is not None:
        read = memory._replace(parameters=read.parameters, flops=read.flops)
    return read + feed_forward(num_queries, query_dim, widening_factor)


def self_attention(
    length,
    width,
    num_heads=8,
    qk_channels=None,
    v_channels=None,
    widening_factor=1,
    attention_dropout=0.0,
    memory=None,
):
    """A `SelfAttention` block: norm, attention, residual, feed-forward block.

    `memory` is what another way than plain attention needs, with its norm; see `way_memory`.
    """
    qk = qk_channels or width
    v = v_channels or qk
    read = attention(length, width, length, width, num_heads, qk, v, attention_dropout)
    read += PartCost(parameters=2 * width, kept=length * width)
    if memory is not None:
        read = memory._replace(parameters=read.parameters, flops=read.flops)
    return read + feed_forward(length, width, widening_factor)
