"""The training of one experiment of the papers."""

import difflib

from keras_perceiver import arguments
from keras_perceiver.training.recipe_table import RECIPES
from keras_perceiver.training.training_recipe import TrainingRecipe


@arguments.explain_unknown
def recipe(
    name: str,
    *,
    batch_size: int | None = None,
    num_examples: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    peak: float | None = None,
    label_smoothing: float | None = None,
    ema_momentum: float | None = None,
):
    """How the papers train on one task: optimizer, learning rate, number of steps, loss.

    Whatever is not given is what the paper states. The learning rate of "imagenet" grows with the
    batch, as in the paper; that of the others does not. Warm-ups take at most a tenth of all steps.

    Args:
        name: "imagenet" and "imagenet_finetuning" (Perceiver IO), "imagenet_perceiver" (the first
            paper), "masked_language_model", "glue", "optical_flow", "multimodal", "audioset" or
            "modelnet40".
        batch_size: Number of examples in a batch.
        num_examples: Number of examples in an epoch.
        epochs: Number of epochs; or give `steps`.
        steps: Number of steps.
        peak: Largest learning rate.
        label_smoothing: This much of each target is spread over all classes.
        ema_momentum: Trains as the papers do, and ends with a moving average of the weights, which
            the papers do not use. None for no average.

    Returns:
        A `TrainingRecipe`.

    Raises:
        ValueError: if an argument is out of range, or is not given and not stated in the paper.

    Example:

    >>> recipe = kp.training.recipe("imagenet", batch_size=256, num_examples=50_000, epochs=30)
    >>> recipe.compile(model)
    >>> kp.training.fit(model, train, epochs=recipe.epochs)
    """
    if not isinstance(name, str) or name not in RECIPES:
        near = difflib.get_close_matches(str(name), RECIPES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        names = ", ".join(RECIPES)
        raise ValueError(f"`name` must be one of {names}.{hint} Received: name={name!r}")
    stated = dict(RECIPES[name])
    stated_epochs, stated_steps = stated.pop("epochs", None), stated.pop("steps", None)
    per_256 = stated.pop("peak_per_256", None)
    given = {"batch_size": batch_size, "num_examples": num_examples, "peak": peak}
    given.update(label_smoothing=label_smoothing, ema_momentum=ema_momentum)
    stated.update({key: value for key, value in given.items() if value is not None})

    batch_size = arguments.whole_number("batch_size", _known(stated, "batch_size", name))
    if per_256 is not None:
        stated.setdefault("peak", per_256 * batch_size / 256)
    _known(stated, "peak", name)
    arguments.optional_whole_number("epochs", epochs)
    if epochs is not None and steps is not None:
        raise ValueError(
            f"`epochs` must be None if `steps` are given. Received: epochs={epochs}, steps={steps}"
        )
    if steps is None and epochs is None and stated_steps is not None:
        steps = stated_steps
    elif steps is None:
        epochs = stated_epochs if epochs is None else epochs
        if epochs is None:
            raise ValueError(
                f"`steps` or `epochs` must be given, since the paper does not state it for {name!r}"
            )
        num_examples = _known(stated, "num_examples", name)
        steps = arguments.whole_number("num_examples", num_examples) * epochs // batch_size
        if steps == 0:
            raise ValueError(
                "`batch_size` must be at most the examples of all epochs. Received: "
                f"batch_size={batch_size}, num_examples={num_examples}, epochs={epochs}"
            )
    return TrainingRecipe(name=name, steps=steps, **stated)


def _known(stated, argument, name):
    if stated.get(argument) is None:
        raise ValueError(
            f"`{argument}` must be given, since the paper does not state it for {name!r}. "
            f"Received: {argument}=None"
        )
    return stated[argument]
