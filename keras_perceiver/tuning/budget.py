"""How much a model may cost."""

from keras_perceiver import arguments

KINDS = {
    "parameters": "parameters",
    "flops": "flops",
    "memory": "training_bytes",
}


class Budget:
    """Upper bounds on the cost of a model.

    Args:
        limits: A dict with any of "parameters" (in all weights), "flops" (of the forward pass of
            one example) and "memory" (bytes of a training step: weights, gradients, Adam's moving
            averages and the activations of a batch). None or an empty dict means no bounds.

    Raises:
        ValueError: if there is another entry, or a bound is not above 0.

    Example:

    >>> Budget({"parameters": 1e6, "memory": 2**30}).fits(costs_of_one, costs_of_a_batch)
    """

    def __init__(self, limits=None):
        if limits is None:
            limits = {}
        if not isinstance(limits, dict):
            raise ValueError(
                f"`budget` must be a dict with some of {tuple(KINDS)}. Received: budget={limits!r}"
            )
        for kind in limits:
            arguments.one_of("budget", kind, tuple(KINDS))
        self.limits = {
            kind: arguments.number(f"budget[{kind!r}]", limit, above=0)
            for kind, limit in limits.items()
        }

    def fits(self, one_example, whole_batch):
        """Whether `Costs` of one example and of a training batch are within all bounds."""
        return all(have <= self.limits[kind] for kind, have in self.spent(one_example, whole_batch))

    def spent(self, one_example, whole_batch):
        """Pairs of each bounded kind and the model's cost of that kind."""
        for kind in self.limits:
            yield kind, getattr(whole_batch if kind == "memory" else one_example, KINDS[kind])
