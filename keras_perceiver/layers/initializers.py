"""The initialisers of DeepMind's code (Haiku's defaults)."""

import keras

# The standard deviation of a standard normal truncated at two standard deviations. "lecun_normal"
# (attention and MLP kernels) corrects for it; Haiku's plain Linear and Conv do not.
_STD_OF_TRUNCATED_NORMAL = 0.87962566103423978


def plain_linear_init(seed=None):
    """Truncated normal of stddev 1/sqrt(fan_in), uncorrected: for outputs, stems, projections."""
    scale = _STD_OF_TRUNCATED_NORMAL**2
    return keras.initializers.VarianceScaling(scale, "fan_in", "truncated_normal", seed=seed)


def array_init(stddev=0.02, seed=None):
    """Normal truncated at 2 stddev: latents, output queries, positions, padding, mask tokens."""
    return keras.initializers.TruncatedNormal(stddev=stddev, seed=seed)


def get_initializer(name, identifier):
    """The Keras initialiser for an argument of that name, or None."""
    wanted = f"`{name}` must be a Keras initialiser or the name of one. Received: "
    if not (identifier is None or isinstance(identifier, (str, dict)) or callable(identifier)):
        raise ValueError(f"{wanted}{name}={identifier!r}")
    try:
        return keras.initializers.get(identifier)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{wanted}{name}={identifier!r}") from error


def fresh(initializer):
    """A copy of an initialiser; the same object would give two weights the same values."""
    return initializer.clone() if isinstance(initializer, keras.Initializer) else initializer
