"""Perceivers for Keras Tuner."""

import difflib
import inspect

from keras_perceiver import arguments
from keras_perceiver.extras import require
from keras_perceiver.forgetting import forgetting_gradients
from keras_perceiver.models.costs import costs
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.tuning.budget import Budget
from keras_perceiver.tuning.search_space import SearchSpace

keras_tuner = require("keras_tuner", "tuning")

# The main sizes, around the builders' defaults; every width is divisible by every number of heads.
DEFAULT_SEARCH = {
    "latent_dim": [32, 64, 128, 256],
    "num_latents": [8, 16, 32, 64, 128],
    "num_self_attends_per_block": [1, 2, 4, 8],
    "num_self_attention_heads": [4, 8],
    "learning_rate": (3e-4, 6e-3),
}
_SIZES = (  # drawn jointly, since cost and validity depend on them; the others are independent
    "latent_dim",
    "num_latents",
    "num_cross_attends",
    "num_blocks",
    "num_self_attends_per_block",
    "cross_attention_widening_factor",
    "self_attention_widening_factor",
    "num_cross_attention_heads",
    "num_self_attention_heads",
    "num_decoder_heads",
    "qk_channels",
    "v_channels",
    "decoder_qk_channels",
    "decoder_v_channels",
    "decoder_output_dim",
)
_SEARCHABLE = [
    name
    for name in inspect.signature(build_perceiver_io).parameters
    if name not in ("inputs", "outputs", "name", "compile")
]


class PerceiverHyperModel(keras_tuner.HyperModel):
    """A search space of Perceivers, for any tuner of Keras Tuner, on one machine or several.

    Every draw is a valid model: widths are divisible by the numbers of heads, and the cost computed
    by `kp.costs` is within the budget. No draw is rejected, so a search of 20 trials trains 20
    models.

    Args:
        inputs: As in `build_perceiver_io`.
        outputs: As in `build_perceiver_io`. Either it or `num_classes` must be given.
        num_classes: Number of classes, to search the models of `build_classifier`.
        budget: None, or a dict of upper bounds: "parameters", "flops" (of the forward pass of one
            example) and "memory" (bytes of a training step with `batch_size` examples).
        batch_size: Examples in a training batch, for "memory".
        search: The arguments to search, instead of the default sizes and learning rate: a dict from
            arguments of `build_perceiver_io` to lists of values. An argument that is not a size may
            have a pair `(lowest, highest)` of floats, sampled on a logarithmic scale.
        **options: Any other argument of `build_perceiver_io`, the same in every model.

    Raises:
        ValueError: if neither or both of `outputs` and `num_classes` are given, if nothing in the
            search space fits the budget (the message names the cheapest model), or if an argument
            is out of range.
        TypeError: if a keyword is unknown; the message names the closest known keyword.

    Example:

    >>> hypermodel = kp.tuning.PerceiverHyperModel((28, 28, 1), num_classes=10,
    ...                                            budget={"parameters": 300_000, "flops": 50e6})
    >>> tuner = keras_tuner.RandomSearch(hypermodel, objective="val_accuracy", max_trials=20)
    >>> tuner.search(train, validation_data=valid, epochs=10)
    >>> hypermodel.arguments(tuner.get_best_hyperparameters()[0])
    {'latent_dim': 64, 'num_latents': 32, ...}
    """

    def __init__(
        self,
        inputs,
        outputs=None,
        num_classes=None,
        budget=None,
        batch_size=32,
        search=None,
        **options,
    ):
        super().__init__()
        if (outputs is None) == (num_classes is None):
            raise ValueError(
                "Either `outputs` or `num_classes` must be given. Received: "
                f"outputs={outputs!r}, num_classes={num_classes!r}"
            )
        if num_classes is not None:
            outputs = Classes(num_classes)
            options.setdefault("use_query_residual", True)
        self.batch_size = arguments.whole_number("batch_size", batch_size)
        self.budget = Budget(budget)
        self.fixed = {"inputs": inputs, "outputs": outputs, **options}
        self.search = _checked(DEFAULT_SEARCH if search is None else search, options)
        sizes = {name: self.search[name] for name in _SIZES if name in self.search}
        self._cheapest = self._refused = None
        try:
            self.space = SearchSpace(sizes, self._fits)
        except ValueError as error:
            if self._cheapest is None:
                raise (self._refused or error) from None
            raise ValueError(
                f"`budget` is below the cheapest model of the search, which needs "
                f"{dict(self._cheapest[1])} with {self._cheapest[0]}. Received: "
                f"budget={self.budget.limits}"
            ) from error

    def _fits(self, drawn):
        """Whether a combination of sizes is a valid model within the budget."""
        try:
            one_example = costs({**self.fixed, **drawn})
        except ValueError as error:  # a width that is not divisible by the number of heads
            self._refused = error
            return False
        whole_batch = one_example
        if "memory" in self.budget.limits:
            whole_batch = costs({**self.fixed, **drawn}, batch=self.batch_size)
        spent = tuple(self.budget.spent(one_example, whole_batch))
        if self._cheapest is None or spent < self._cheapest[1]:
            self._cheapest = (drawn, spent)
        return self.budget.fits(one_example, whole_batch)

    def declare_hyperparameters(self, hp):
        """Adds the whole search space to `hp`."""
        self.space.declare(hp)
        for name, values in self.search.items():
            if name in _SIZES:
                continue
            if isinstance(values, tuple):
                hp.Float(name, *values, sampling="log")
            else:
                hp.Choice(name, list(values))

    def arguments(self, hp):
        """The searched arguments of `build_perceiver_io`, with the values of `hp`."""
        if not any(name in hp.values for name in self.search):  # `hp` is not from a tuner
            self.declare_hyperparameters(hp)
        free = [name for name in self.search if name not in _SIZES]
        return {**self.space.chosen(hp), **{name: hp.get(name) for name in free}}

    def costs(self, hp):
        """`Costs` of the model with the values of `hp`, for `batch_size` examples."""
        return costs({**self.fixed, **self.arguments(hp)}, batch=self.batch_size)

    def build(self, hp):
        """The compiled model with the values of `hp`."""
        with forgetting_gradients():
            model = build_perceiver_io(**self.fixed, **self.arguments(hp))
        if model.compiled:
            # Tuners load checkpoints into new models; an unbuilt optimizer would lose its state.
            model.optimizer.build(model.trainable_variables)
        return model

    def fit(self, hp, model, *args, **kwargs):
        """Trains the model of a trial; its compiled steps can be freed with the model."""
        with forgetting_gradients():
            return super().fit(hp, model, *args, **kwargs)


def _checked(search, options):
    """The checked search space, without the arguments that `options` fix."""
    if not isinstance(search, dict) or not search:
        raise ValueError(
            "`search` must be a dict from arguments of build_perceiver_io to their candidates. "
            f"Received: search={search!r}"
        )
    for name, values in search.items():
        if name not in _SEARCHABLE:
            near = difflib.get_close_matches(name, _SEARCHABLE, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise ValueError(
                f"`search` must name arguments of build_perceiver_io.{hint} Received: {name!r}"
            )
        _check_candidates(name, values)
    return {name: values for name, values in search.items() if name not in options}


def _check_candidates(name, values):
    if isinstance(values, tuple) and name not in _SIZES and len(values) == 2:
        lowest = arguments.number(f"search[{name!r}]", values[0], above=0)
        arguments.number(f"search[{name!r}]", values[1], above=lowest)
        return
    scalar = isinstance(values, list) and all(
        isinstance(v, (bool, int, float, str)) for v in values
    )
    if not scalar or not values or len(set(values)) < len(values):
        wanted = "a list of different values"
        if name not in _SIZES:
            wanted += ", or a pair of numbers (lowest, highest) above 0"
        raise ValueError(f"`search[{name!r}]` must be {wanted}. Received: {values!r}")
