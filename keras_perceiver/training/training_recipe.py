"""How to train one model, as data."""

import dataclasses

import keras

from keras_perceiver import arguments
from keras_perceiver.models.compile_checks import CompileArguments, check_compile_arguments
from keras_perceiver.models.compiling import compile_model
from keras_perceiver.models.descriptions import as_given
from keras_perceiver.models.lamb import Lamb
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.training.falling_in_steps import falling_in_steps
from keras_perceiver.training.flat_then_cosine import flat_then_cosine
from keras_perceiver.training.warm_up_then_cosine import warm_up_then_cosine
from keras_perceiver.training.warm_up_then_flat import warm_up_then_flat

_SCHEDULES = {
    "constant": None,
    "falling_in_steps": falling_in_steps,
    "flat_then_cosine": flat_then_cosine,
    "warm_up_then_cosine": warm_up_then_cosine,
    "warm_up_then_flat": warm_up_then_flat,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """How to train one model; see `kp.training.recipe` for those of the papers.

    `dataclasses.replace(recipe, weight_decay=0.05)` gives a changed one.

    Args:
        name: Name.
        steps: Number of steps.
        batch_size: Number of examples in a batch.
        peak: Largest learning rate.
        schedule: "constant", "falling_in_steps", "flat_then_cosine", "warm_up_then_cosine" or
            "warm_up_then_flat": a function of `kp.training`, or `peak` throughout.
        schedule_options: Its other arguments. Warm-ups take at most a tenth of `steps`.
        weight_decay, global_clipnorm: See `Lamb`.
        label_smoothing: Classes are learned with (1 - this) of each target and this, divided by
            the number of classes, added; after targets were mixed.
        losses: Losses by output, in place of the model's own.
        loss_weights: Weights of the losses, by output.
        ema_momentum: Momentum of a moving average of the weights, which replaces them when `fit`
            ends; None for no average.
        num_examples: Number of examples in an epoch, if it is known.
        source: Paper and table.
        unstated: What the paper does not state, and what is done instead.

    Raises:
        ValueError: if an argument is out of range.

    Reference: Perceiver IO (arXiv 2107.14795), appendices; Perceiver (arXiv 2103.03206).
    """

    name: str
    steps: int
    batch_size: int
    peak: float
    schedule: str = "constant"
    schedule_options: dict = dataclasses.field(default_factory=dict)
    weight_decay: float | None = None
    global_clipnorm: float | None = None
    label_smoothing: float = 0.0
    losses: dict = dataclasses.field(default_factory=dict)
    loss_weights: dict | None = None
    ema_momentum: float | None = None
    num_examples: int | None = None
    source: str = ""
    unstated: str = ""

    def __post_init__(self):
        arguments.whole_number("steps", self.steps)
        arguments.whole_number("batch_size", self.batch_size)
        arguments.number("peak", self.peak, above=0)
        arguments.one_of("schedule", self.schedule, _SCHEDULES)
        arguments.fraction("label_smoothing", self.label_smoothing)
        arguments.optional_whole_number("num_examples", self.num_examples)
        if self.ema_momentum is not None:
            arguments.fraction("ema_momentum", self.ema_momentum)
        if self.weight_decay is not None:
            arguments.number("weight_decay", self.weight_decay, at_least=0)
        if self.global_clipnorm is not None:
            arguments.number("global_clipnorm", self.global_clipnorm, above=0)
        for name in ("schedule_options", "losses", "loss_weights"):
            value = getattr(self, name)
            if not isinstance(value, dict) and (value is not None or name != "loss_weights"):
                raise ValueError(f"`{name}` must be a dict. Received: {name}={value!r}")
        self.learning_rate()

    @property
    def steps_per_epoch(self):
        """Number of whole batches in an epoch; None if the number of examples is not known."""
        if self.num_examples is None:
            return None
        return max(1, self.num_examples // self.batch_size)

    @property
    def epochs(self):
        """Number of epochs that `steps` take, rounded up; None if it is not known."""
        return None if self.num_examples is None else -(-self.steps // self.steps_per_epoch)

    def learning_rate(self):
        """The learning rate: a number or a schedule."""
        if self.schedule == "constant":
            return self.peak
        options = dict(self.schedule_options)
        if "warm_up_steps" in options:
            least = int(self.schedule == "warm_up_then_flat")
            warm_up_steps = arguments.whole_number("warm_up_steps", options["warm_up_steps"], least)
            options["warm_up_steps"] = max(least, min(warm_up_steps, self.steps // 10))
        steps = () if self.schedule == "warm_up_then_flat" else (self.steps,)
        try:
            return _SCHEDULES[self.schedule](self.peak, *steps, **options)
        except TypeError as error:  # an argument that it does not have, or one is missing
            raise ValueError(
                f"`schedule_options` must be arguments of kp.training.{self.schedule}. Received: "
                f"schedule_options={self.schedule_options!r} ({error})"
            ) from error

    def optimizer(self):
        """A new `Lamb`; every model needs its own."""
        average = {} if self.ema_momentum is None else {"ema_momentum": self.ema_momentum}
        return Lamb(
            self.learning_rate(),
            self.weight_decay,
            global_clipnorm=self.global_clipnorm,
            use_ema=self.ema_momentum is not None,
            **average,
        )

    def compile(self, model, **changes):
        """Compiles a model with this optimizer and these losses, and returns it.

        With `label_smoothing`, targets of classes are one-hot or mixed, `(batch, num_classes)`.

        Args:
            model: A `Perceiver`.
            **changes: `loss`, `loss_weights`, `metrics`, `weighted_metrics` or `jit_compile`, as
                for builders, in place of those of the recipe.

        Raises:
            ValueError: if a change is wrong, or the model has other outputs than the losses.
            TypeError: if there is no such change.
        """
        if not isinstance(model, Perceiver):
            raise ValueError(f"`model` must be a Perceiver. Received: model={model!r}")
        known = ("loss", "loss_weights", "metrics", "weighted_metrics", "jit_compile")
        arguments.check_known("compile", changes, known)
        outputs = model.output_descriptions
        if self.loss_weights is not None and changes.get("loss_weights") is None:
            unknown = sorted(set(outputs) - set(self.loss_weights))
            if unknown:
                raise ValueError(
                    f"`model` must have outputs among {sorted(self.loss_weights)} for the recipe "
                    f"{self.name!r}, or `loss_weights` be given. Received: a model with {unknown}"
                )
            changes["loss_weights"] = {key: self.loss_weights[key] for key in outputs}
        if changes.get("loss") is None:
            losses = {key: self._loss(key, output) for key, output in outputs.items()}
            changes["loss"] = as_given(model.output, losses)
            if changes.get("metrics") is None and changes.get("weighted_metrics") is None:
                metrics = {key: self._metrics(output) for key, output in outputs.items()}
                changes["weighted_metrics"] = as_given(model.output, metrics)
        with model.distribute_strategy.scope():
            given = CompileArguments(optimizer=self.optimizer(), **changes)
            check_compile_arguments(given)
            return compile_model(model, given)

    def _loss(self, key, output):
        if self._is_smoothed(output):
            return keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=self.label_smoothing
            )
        return self.losses.get(key) or output.default_loss()

    def _metrics(self, output):
        if self._is_smoothed(output):
            return [keras.metrics.CategoricalAccuracy(name="accuracy")]
        return output.metrics()

    def _is_smoothed(self, output):
        return self.label_smoothing > 0 and isinstance(output, Classes) and not output.multi_label
