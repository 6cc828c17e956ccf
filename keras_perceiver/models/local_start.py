"""Initial values by which attention starts local, so that training starts without a plateau.

For an output to be found from inputs near a place, a latent must read that place, keep it apart
from others, and be found again by the query of the place. With the papers' initial values every
latent and every query attends almost evenly, so these three things must be learned at once before
the loss falls. Here they hold at the start:

- Learned positions, and queries that are learned for places, are sinusoids.
- Each latent stands for a place, spread evenly over the inputs. A quarter of its channels hold the
  sinusoids of that place; the others hold what it reads. Layers hardly write into the first, and
  feed-forward blocks and values hardly read them: what a latent makes of its inputs does not depend
  on the place, as in a convolution.
- Query and key kernels make each latent read around its place, and each query the latents around
  its place. Only latents of a series that is read through a convolution, for a single answer, read
  all of it: the convolution is local already. Heads look at places beside each other; see
  `keras_perceiver.layers.local_kernels`.
- Nearly all variance of what is read is content's, not positions'.
- Token embeddings are smaller by the root of their width, so that tied logits start near 0.

Nothing else changes: layers, weights and their number are the same, and all of this can be
unlearned. What has no positions (sets, labels, queries of a class) starts as in the papers, and so
does a model of fewer latents than inputs. What was tried, and what did not help:
docs/initial_values.md.
"""

import numpy as np

from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.latent_transformer import LatentTransformer
from keras_perceiver.layers.local_kernels import (
    fit_local_scores,
    numbers,
    share_values,
)
from keras_perceiver.layers.places import Places, sinusoids, spacing, spread

PLACE_SHARE = 0.25  # of the channels of latents hold their place
LEAK = 0.1  # factor on what reads the place as content, or writes content into it
LEAST_BOX = 3.0  # cells along each axis of the box that a latent reads, at least
SAMPLE = 1024  # vectors that kernels are fitted to
COPIES = 4  # of latents, with noise in place of what they have read
PLACELESS = 64  # vectors that stand for queries without positions


def start_locally(encoder, decoder, inputs, outputs):
    """Sets the initial values of a model that was just made.

    Args:
        encoder, decoder: Its parts.
        inputs: Bound inputs by name.
        outputs: Bound outputs by name.
    """
    table = encoder.get_layer("latents").table
    if table.shape[0] < len(inputs):  # some input would have no latent, and hardly be read
        return
    random = np.random.default_rng(0)
    for described in (*inputs.values(), *outputs.values()):
        described.start_locally()
    reading = _reading(encoder, inputs, random)
    if None in reading.values():
        return
    latents = _latents(inputs, reading, numbers(table), random)
    table.assign(np.concatenate([group.vectors for group in latents]))
    boxes = [_box(len(group.vectors), group.extents) for group in latents]
    if all(output.pools_latents or output.num_queries == 1 for output in outputs.values()):
        for i, reader in enumerate(inputs.values()):
            boxes[i] = latents[i].extents if reader.whole_for_one_answer else boxes[i]
    channels = _place_channels(table.shape[1])
    for layer in encoder.layers:
        if isinstance(layer, CrossAttention):
            each = range(len(latents))
            fit_local_scores(layer.attention, latents, list(reading.values()), each, boxes)
            if len(inputs) == 1:
                ((name, places),) = reading.items()
                share_values(layer.attention, places.vectors, inputs[name].content_channels())
            _keep_apart(layer, channels)
        elif isinstance(layer, LatentTransformer):
            for block in layer.self_attends:
                _scale(block.attention.value_layer, rows=channels)
                _keep_apart(block, channels)
    _start_decoder(decoder, outputs, reading, latents, boxes, random)


def _start_decoder(decoder, outputs, reading, latents, boxes, random):
    """Lets queries with places read the latents around these."""
    asking = {key: output for key, output in outputs.items() if not output.pools_latents}
    queries = {key: output.places(random, SAMPLE) for key, output in asking.items()}
    reads = [_reads(asking[key], places, reading) for key, places in queries.items()]
    if all(index is None for index in reads):
        return
    queries = _padded(decoder, "queries", _with_placeless(queries, asking, random))
    attention = decoder.get_layer("output_query_decoder").cross_attention.attention
    wide = [None if i is None else _wider(boxes[i], attention.num_heads) for i in reads]
    read = [_having_read(group, random) for group in latents]
    fit_local_scores(attention, list(queries.values()), read, reads, wide)


def _keep_apart(block, channels):
    """Keeps the places of latents apart from what a block of attention adds to them."""
    _scale(block.feed_forward.hidden_layer, rows=channels)
    _scale(block.feed_forward.output_layer, columns=channels)
    _scale(block.attention.output_layer, columns=channels)


def _scale(layer, rows=slice(None), columns=slice(None)):
    kernel = numbers(layer.kernel)
    kernel[rows, columns] *= LEAK
    layer.kernel.assign(kernel)


def _place_channels(width):
    """Booleans `(width,)`: the channels of latents that hold their place."""
    return np.arange(width) < max(1, round(PLACE_SHARE * width))


def _box(count, extents):
    """Sides of the box that each of `count` latents reads, in cells."""
    return np.minimum(np.maximum(spacing(max(1, count), extents), LEAST_BOX), extents)


def _reading(encoder, inputs, random):
    """`Places` of each input. One without positions, among several, is a single place."""
    count, found = SAMPLE // len(inputs), {}
    for name, reader in inputs.items():
        places = reader.places(random, count)
        if places is None and len(inputs) > 1:
            vectors = random.normal(size=(count, reader.input_dim))
            places = Places(vectors, np.full((count, 1), 0.5), (1,))
        found[name] = places
    return _padded(encoder, "inputs", found)


def _with_placeless(queries, asking, random):
    """The same with vectors of no place for outputs that ask without positions."""
    found = {}
    for key, places in queries.items():
        if places is None:
            vectors = random.normal(size=(PLACELESS, asking[key].query_dim))
            places = Places(vectors, np.zeros((PLACELESS, 0)), ())
        found[key] = places
    return found


def _padded(model, name, places):
    """The same with the learned padding that brings all to one width, which tells them apart."""
    if len(places) == 1:
        return places
    paddings, found = model.get_layer(name).paddings, {}
    for key, group in places.items():
        vectors = group.vectors
        if key in paddings:
            padding = numbers(paddings[key])
            padding /= np.std(padding) + 1e-6
            paddings[key].assign(padding)
            padding = np.repeat(padding, len(vectors), axis=0)
            vectors = np.concatenate([vectors, padding], axis=1)
        found[key] = group._replace(vectors=vectors)
    return found


def _latents(inputs, reading, table, random):
    """A group of latents for each input; their first channels are sinusoids of their places."""
    count, width = table.shape
    channels, groups, start = _place_channels(width), [], 0
    for share, name in zip(_shares(inputs, count), inputs):
        extents = reading[name].extents
        coordinates = spread(share, len(extents))
        finest = 2 * np.array(extents) / spacing(max(1, share), extents)
        placed = sinusoids(coordinates, channels.sum(), finest)
        if len(inputs) > 1:
            placed = (placed + random.normal(size=(1, channels.sum()))) / np.sqrt(2)
        vectors = table[start : start + share]
        vectors[:, channels] = placed
        start += share
        groups.append(Places(vectors, coordinates, extents))
    return groups


def _shares(inputs, count):
    """How many of `count` latents stand for each input: in proportion to the roots of lengths.

    At least one for each, since what no latent stands for is hardly read at the start.
    """
    lengths = [one.num_inputs or one.largest_num_inputs() or SAMPLE for one in inputs.values()]
    ends = np.round(np.cumsum(np.sqrt(lengths)) / np.sum(np.sqrt(lengths)) * count).astype(int)
    shares = np.diff(ends, prepend=0)
    while shares.min() == 0:
        shares[shares.argmin()] += 1
        shares[shares.argmax()] -= 1
    return shares


def _having_read(group, random):
    """Latents as the decoder finds them: their places, and noise for what they have read."""
    vectors = np.tile(group.vectors, (COPIES, 1))
    noise = random.normal(size=vectors.shape)
    noise[:, _place_channels(vectors.shape[1])] *= LEAK
    return Places(vectors + noise, np.tile(group.coordinates, (COPIES, 1)), group.extents)


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
