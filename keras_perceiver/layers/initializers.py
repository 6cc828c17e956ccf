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


def fresh(initializer):
    """A copy of an initialiser; the same object would give two weights the same values."""
    return initializer.clone() if isinstance(initializer, keras.Initializer) else initializer
