"""Decodes bytes to a model's inputs, with the same functions as in training."""

import functools

import tensorflow as tf

from keras_perceiver.data import image_pixels, text_ids, wav_samples


def preparations(readers, prepare, of_model=None):
    """{name of an input: function from strings `(batch,)` to its tensor}.

    Args:
        readers: Input descriptions by name.
        prepare: {name of an input: function of one string scalar, or None for no bytes}.
        of_model: The model's `preparation`, which comes before the functions of `kp.data`.

    Raises:
        ValueError: if `prepare` is not such a dict.
    """
    prepare = {} if prepare is None else prepare
    if not isinstance(prepare, dict) or not set(prepare) <= set(readers):
        raise ValueError(
            "`prepare` must be a dict of functions by the names of inputs, among "
            f"{sorted(readers)}. Received: prepare={prepare!r}"
        )
    for name, function in prepare.items():
        if function is not None and not callable(function):
            raise ValueError(
                f"`prepare[{name!r}]` must be a function from one string tensor to a tensor, or "
                f"None. Received: {function!r}"
            )
    own = getattr(of_model, "of_bytes", dict)()  # nothing, if it is a layer of another kind
    prepare = {**{name: one for name, one in own.items() if name in readers}, **prepare}
    found = {}
    for name, reader in readers.items():
        if name in prepare:
            function = prepare[name] and _map_batch(prepare[name], reader)
        else:
            function = _default(name, reader)
        if function is not None:
            found[name] = function
    return found


def _default(name, reader):
    if reader.bytes_format == "image":
        height, width, channels = reader.shape
        return _map_batch(
            functools.partial(image_pixels, height=height, width=width, channels=channels), reader
        )
    if reader.bytes_format == "sound":
        num_samples, channels = reader.shape
        function = functools.partial(
            wav_samples,
            num_samples=num_samples,
            channels=channels,
            sampling_rate=reader.sampling_rate if reader.stem_name == "mel" else None,
        )
        return _map_batch(function, reader)
    if reader.bytes_format == "text":
        return functools.partial(_ids, name=name, reader=reader)
    return None


def _map_batch(function, reader):
    """A function that applies `function` to each example of a batch."""
    shape, dtype = next(iter(reader.raw_parts().values()))
    spec = tf.TensorSpec(shape, dtype)

    def batch(encoded):
        return tf.map_fn(
            lambda one: tf.cast(tf.ensure_shape(function(one), shape), dtype),
            encoded,
            fn_output_signature=spec,
        )

    return batch


def _ids(texts, name, reader):
    """Byte ids of UTF-8 texts, cut to the length of the longest text if the model allows it."""
    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    stop = tf.debugging.Assert(
        tf.reduce_all(tf.equal(valid, texts)), [f"`{name}` must be texts in UTF-8."]
    )
    with tf.control_dependencies([stop]):
        texts = tf.identity(texts)
    ids = text_ids(texts, reader.max_length)
    if reader.pad_id != 0 or reader.masked:
        return ids
    longest = tf.reduce_max(tf.strings.length(texts))
    return ids[:, : tf.clip_by_value(longest, 1, reader.max_length)]
