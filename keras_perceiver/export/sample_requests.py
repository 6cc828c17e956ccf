"""Valid requests with random values, to warm up and test an exported model."""

import numpy as np
import tensorflow as tf


def sample_request(checks, readers, by_bytes=(), batch=1):
    """{name: array} of random values, or None if sample bytes of an input cannot be made.

    Args:
        checks: {name: RequestChecks} of the tensors to make.
        readers: Input descriptions by name.
        by_bytes: Names of the tensors that are bytes.
        batch: Number of examples.
    """
    random = np.random.default_rng(0)
    request = {}
    for name, check in checks.items():
        shape = (batch, *check.usual)
        if name in by_bytes:
            encoded = [_encoded(readers[name], random) for _ in range(batch)]
            if None in encoded:
                return None
            request[name] = np.array(encoded, dtype=object)
        elif check.below is not None:
            request[name] = random.integers(check.least, check.below, shape).astype(check.dtype)
        elif check.dtype == "bool":
            request[name] = np.ones(shape, bool)
        else:
            request[name] = random.random(shape).astype(check.dtype)
            if check.may_be_nan:
                request[name][random.random(shape) < 0.25] = np.nan
    return request


def _encoded(reader, random):
    if reader.bytes_format == "image":
        pixels = random.integers(0, 256, reader.shape).astype("uint8")
        return tf.io.encode_png(pixels).numpy()
    if reader.bytes_format == "sound":
        samples = random.uniform(-1, 1, reader.shape).astype("float32")
        return tf.audio.encode_wav(samples, reader.sampling_rate).numpy()
    if reader.bytes_format == "text":
        return b"warm up "[: reader.max_length]
    return None
