"""DeepMind's own files of weights."""

from keras_perceiver.checkpoints.fill import fill
from keras_perceiver.checkpoints.layouts import from_haiku
from keras_perceiver.checkpoints.sources import deepmind_source
from keras_perceiver.checkpoints.weight_names import names_of
from keras_perceiver.models.perceiver import Perceiver


def load_deepmind_weights(model, weights):
    """Loads DeepMind's weights into a model of the same sizes.

    Args:
        model: A `Perceiver` from one of the six published presets, or of other sizes with the same
            parts.
        weights: DeepMind's file, which ends in .pickle or .pystate; an .npz file; or a dict. Arrays
            are named `scope//name` as in Haiku, such as "embed//embeddings", or are in dicts.
            Files are read by an unpickler that admits NumPy arrays, dicts and Haiku's FlatMapping
            and refuses everything else, so no code in a file can run.

    Raises:
        ValueError: if arrays are missing, left over, of another shape, truncated or damaged; lists
            names and shapes of both sides. `model` is then as it was.

    Example:

    >>> model = kp.from_preset("perceiver_io_language_bytes")
    >>> kp.load_deepmind_weights(model, "language_perceiver_io_bytes.pickle")

    Reference: the files of kp.presets.get(name).deepmind at
    https://storage.googleapis.com/perceiver_io/.
    """
    if not isinstance(model, Perceiver):
        raise ValueError(f"`model` must be a Perceiver. Received: {type(model).__name__}")
    names = names_of(model, "deepmind")
    fill(model, deepmind_source(weights), names, from_haiku)
