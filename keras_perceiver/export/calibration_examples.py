"""Divides a user's examples into those for the ranges of int8 and those to measure its loss."""

from keras_perceiver.export.labelled_batches import LabelledBatches


def calibration_examples(model, calibration, validation, num_examples):
    """A list of at most `num_examples` single examples, and the batches to measure the loss with.

    Args:
        model: A `Perceiver`.
        calibration: Batches or arrays, see `LabelledBatches`.
        validation: The same, or None for every second batch of `calibration`.
        num_examples: Number of examples to take from `calibration`.

    Returns:
        A list of {name of an input: array with a batch of 1}, and an iterable of
        `(inputs, targets, weights)`.

    Raises:
        ValueError: if a batch does not fit the model, there are too few batches, or `validation`
            does not end.
    """
    batches = LabelledBatches("calibration", calibration, model)
    own = validation is not None
    if own:
        validation = LabelledBatches("validation", validation, model)
        if validation.is_endless:
            raise ValueError(
                "`validation` must end, since all of it is used. Received: a data set that repeats "
                "without end"
            )
        if next(iter(validation), None) is None:
            raise ValueError("`validation` must have an example. Received: none")
    examples, held_out = [], []
    for i, batch in enumerate(batches):
        if not own and i % 2:
            held_out.append(batch)
        else:
            examples += _single(batch[0])
        if len(examples) >= num_examples and (own or i % 2):
            break
    if not examples or not (own or held_out):
        wanted = (
            "an example"
            if own
            else "two batches without `validation`: every second one is for the loss"
        )
        raise ValueError(
            f"`calibration` must have at least {wanted}. Received: "
            f"{len(held_out) + bool(examples)} batches with {len(examples)} examples"
        )
    return examples[:num_examples], validation if own else held_out


def _single(inputs):
    count = len(next(iter(inputs.values())))
    return [{key: array[i : i + 1] for key, array in inputs.items()} for i in range(count)]
