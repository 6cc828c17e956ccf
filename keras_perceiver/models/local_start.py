"""Initial values by which attention starts local, so that training starts without a plateau.

For an output to be found from inputs near a place, a latent must read that place, keep it apart
from others, and be found again by the query of the place. With the papers' initial values every
latent and every query attends almost evenly, so these three things must be learned at once before
the loss falls. Here they hold at the start:

- Learned positions, and queries that are learned for places, are sinusoids.
- Each latent stands for a place, spread evenly over the inputs, and is the sinusoids of that place.
  Where queries look for latents by their place, these are as large as what a latent reads;
  otherwise they are small, so that what a latent makes of its inputs hardly depends on the place.
- Query and key kernels make each latent read around its place, and each query the latents around
  its place. Heads look at places beside each other; see `keras_perceiver.layers.local_kernels`.
- Nearly all variance of what is read is content's, not positions'.
- Token embeddings are smaller by the root of their width, so that tied logits start near 0.

Nothing else changes: layers, weights and their number are the same, and all of this can be
unlearned. What has no positions (sets, labels, queries of a class) starts as in the papers.
"""

import numpy as np

from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.local_kernels import (
    fit_local_scores,
    numbers,
    share_values,
)
from keras_perceiver.layers.places import Places, sinusoids, spacing, spread

STRONG, WEAK = 1.0, 0.1  # root mean square of a latent's sinusoids; what it reads has about 1
SAMPLE = 2048  # vectors that kernels are fitted to
COPIES = 4  # of latents, with noise in place of what they have read
PLACELESS = 64  # vectors that stand for queries without positions


def start_locally(encoder, decoder, inputs, outputs):
    """Sets the initial values of a model that was just made.

    Args:
        encoder, decoder: Its parts.
        inputs: Bound inputs by name.
        outputs: Bound outputs by name.
    """
    random = np.random.default_rng(0)
    for described in (*inputs.values(), *outputs.values()):
        described.start_locally()
    reading = _reading(encoder, inputs, random)
    if None in reading.values():
        return
    asking = {key: output for key, output in outputs.items() if not output.pools_latents}
    queries = {key: output.places(random, SAMPLE) for key, output in asking.items()}
    reads = [_reads(asking[key], places, reading) for key, places in queries.items()]
    found_by_place = any(index is not None for index in reads)
    table = encoder.get_layer("latents").table
    scale = STRONG if found_by_place else WEAK
    latents = _latents(inputs, reading, table.shape, scale, random)
    table.assign(np.concatenate([group.vectors for group in latents]))
    boxes = [spacing(max(1, len(group.vectors)), group.extents) for group in latents]
    for layer in encoder.layers:
        if isinstance(layer, CrossAttention):
            each = range(len(latents))
            fit_local_scores(layer.attention, latents, list(reading.values()), each, boxes)
            if len(inputs) == 1:
                ((name, places),) = reading.items()
                share_values(layer.attention, places.vectors, inputs[name].content_channels())
    if found_by_place:
        queries = _padded(decoder, "queries", _with_placeless(queries, asking, random), random)
        attention = decoder.get_layer("output_query_decoder").cross_attention.attention
        wide = [None if i is None else _wider(boxes[i], attention.num_heads) for i in reads]
        read = [_having_read(group, random) for group in latents]
        fit_local_scores(attention, list(queries.values()), read, reads, wide)


def _reading(encoder, inputs, random):
    """`Places` of each input. One without positions, among several, is a single place."""
    count, found = SAMPLE // len(inputs), {}
    for name, reader in inputs.items():
        places = reader.places(random, count)
        if places is None and len(inputs) > 1:
            vectors = random.normal(size=(count, reader.input_dim))
            places = Places(vectors, np.full((count, 1), 0.5), (1,))
        found[name] = places
    return _padded(encoder, "inputs", found, random)


def _with_placeless(queries, asking, random):
    """The same with vectors of no place for outputs that ask without positions."""
    found = {}
    for key, places in queries.items():
        if places is None:
            vectors = random.normal(size=(PLACELESS, asking[key].query_dim))
            places = Places(vectors, np.zeros((PLACELESS, 0)), ())
        found[key] = places
    return found


def _padded(model, name, places, random):
    """The same with the learned padding that brings all to one width, which tells them apart."""
    if len(places) == 1:
        return places
    paddings, found = model.get_layer(name).paddings, {}
    for key, group in places.items():
        vectors = group.vectors
        if key in paddings:
            paddings[key].assign(random.normal(size=paddings[key].shape))
            padding = np.repeat(numbers(paddings[key]), len(vectors), axis=0)
            vectors = np.concatenate([vectors, padding], axis=1)
        found[key] = group._replace(vectors=vectors)
    return found


def _latents(inputs, reading, shape, scale, random):
    """A group of latents for each input: the sinusoids of the places that they stand for."""
    count, width = shape
    groups = []
    for share, name in zip(_shares(inputs, count), inputs):
        extents = reading[name].extents
        coordinates = spread(share, len(extents))
        finest = 2 * np.array(extents) / spacing(max(1, share), extents)
        vectors = sinusoids(coordinates, width, finest)
        if len(inputs) > 1:
            vectors = (vectors + random.normal(size=(1, width))) / np.sqrt(2)
        groups.append(Places(scale * vectors, coordinates, extents))
    return groups


def _shares(inputs, count):
    """How many of `count` latents stand for each input: in proportion to the roots of lengths."""
    lengths = [one.num_inputs or one.largest_num_inputs() or SAMPLE for one in inputs.values()]
    ends = np.round(np.cumsum(np.sqrt(lengths)) / np.sum(np.sqrt(lengths)) * count).astype(int)
    return np.diff(ends, prepend=0)


def _having_read(group, random):
    """Latents as the decoder finds them: their sinusoids, and as much of something else."""
    vectors = np.tile(group.vectors, (COPIES, 1))
    vectors = vectors + random.normal(size=vectors.shape)
    return Places(vectors, np.tile(group.coordinates, (COPIES, 1)), group.extents)


def _wider(box, num_heads):
    """The box that so many heads read together, if each reads one such box."""
    return np.array(box) * num_heads ** (1 / len(box))


def _reads(output, places, reading):
    """The index of the input whose latents an output's queries find by place, or None."""
    if places is None:
        return None
    names = [output.shaped_by] if output.shaped_by in reading else list(reading)
    fitting = (key for key in names if len(reading[key].extents) == len(places.extents))
    key = next(fitting, None)
    return None if key is None else list(reading).index(key)
