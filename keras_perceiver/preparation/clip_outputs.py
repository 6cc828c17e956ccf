"""A check of what a model answers for clips."""

from keras_perceiver import arguments


def checked_outputs(outputs, shapes, num_videos):
    """{key: NumPy float32 `(num_videos * clips, ...)`} with the same number of clips in each.

    Args:
        outputs: A dict with some of the keys of `shapes`.
        shapes: {key: shape of one clip}.
        num_videos: Number by which the number of clips must be divisible.

    Raises:
        ValueError: if `outputs` are something else, or not finite.
    """
    if not isinstance(outputs, dict) or not outputs or not set(outputs) <= set(shapes):
        raise ValueError(
            f"`outputs` must be a dict with any of {list(shapes)}. Received: "
            f"{list(outputs) if isinstance(outputs, dict) else type(outputs).__name__}"
        )
    arrays = {}
    for key, value in outputs.items():
        name = f"outputs[{key!r}]"
        array = arrays[key] = arguments.floats(name, value)
        if array.shape[1:] != shapes[key] or not array.size or len(array) % num_videos:
            sizes = ", ".join(str(size) for size in shapes[key])
            raise ValueError(
                f"`{name}` must have shape (num_videos * clips, {sizes}), where "
                f"num_videos={num_videos}. Received: shape {array.shape}"
            )
        arguments.finite(name, array)
    lengths = {key: len(array) for key, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"`outputs` must have the same number of clips in each entry. Received: {lengths}"
        )
    return arrays
