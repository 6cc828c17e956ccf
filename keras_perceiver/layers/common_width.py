"""Joins arrays of different widths: trainable padding, mask tokens, concatenation."""

import keras
from keras import ops

from keras_perceiver import arguments
from keras_perceiver.layers.initializers import array_init


@keras.saving.register_keras_serializable(package="keras_perceiver")
class CommonWidth(keras.layers.Layer):
    """Pads several arrays with learned vectors to a common width and concatenates them.

    The common width is the largest width plus `min_padding`, so that every array has padding that
    distinguishes it from the others. Arrays are joined in the order of their sorted names.

    Args:
        min_padding: Padding of the widest array (4 in the published multimodal encoder, 2 in its
            decoder).
        mask_probs: None, or a dict from names to the probability that a vector is replaced by a
            learned mask token, both in training and in inference (as published).
        position_widths: A dict from names to widths of positions, for arrays that are passed
            without their positions: features on a grid, `(batch, *grid, channels)`.
        seed: Seed of the random masking.

    Call arguments:
        inputs: A dict of arrays `(batch, length, width)`; later calls may pass a subset.
        joined: If False, nothing is concatenated: the result is a dict with `features` and, if
            any, `padding` for each name, as `SeparableCrossAttention` takes them.
        mask: Masks of the arrays in the same structure, filled in by Keras.

    Returns:
        Array of shape `(batch, sum of lengths, common width)`.

    Raises:
        ValueError: if a probability is outside [0, 1] or names an array that does not exist.

    Example:

    >>> arrays = {"audio": keras.ops.ones((2, 5, 11)), "image": keras.ops.ones((2, 7, 13))}
    >>> CommonWidth(min_padding=4)(arrays).shape
    (2, 12, 17)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """

    def __init__(self, min_padding=2, mask_probs=None, position_widths=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.min_padding = arguments.whole_number("min_padding", min_padding, at_least=0)
        if mask_probs is not None and not isinstance(mask_probs, dict):
            raise ValueError(
                "`mask_probs` must be a dict from names of inputs to probabilities. Received: "
                f"mask_probs={mask_probs!r}"
            )
        self.mask_probs = {
            name: arguments.number(f"mask_probs[{name!r}]", p, at_least=0, at_most=1)
            for name, p in (mask_probs or {}).items()
        }
        if position_widths is not None and not isinstance(position_widths, dict):
            raise ValueError(
                "`position_widths` must be a dict from names of inputs to widths. Received: "
                f"position_widths={position_widths!r}"
            )
        self.position_widths = {
            name: arguments.whole_number(f"position_widths[{name!r}]", width, at_least=0)
            for name, width in (position_widths or {}).items()
        }
        self.seed = seed if seed is None else arguments.whole_number("seed", seed, at_least=0)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        for argument in ("mask_probs", "position_widths"):
            unknown = sorted(set(getattr(self, argument)) - set(input_shape))
            if unknown:
                raise ValueError(
                    f"`{argument}` must name inputs among {sorted(input_shape)}. Received: "
                    f"{argument} for {unknown}"
                )
        widths = {
            name: shape[-1] + self.position_widths.get(name, 0)
            for name, shape in input_shape.items()
        }
        self.width = max(widths.values()) + self.min_padding
        self.paddings, self.mask_tokens = {}, {}
        for name in sorted(input_shape):
            missing = self.width - widths[name]
            if missing:
                self.paddings[name] = self.add_weight(
                    shape=(1, missing),
                    initializer=array_init(),
                    trainable=self.mask_probs.get(name) != 1.0,  # always masked: never used
                    name=f"{name}_padding",
                )
            if self.mask_probs:
                self.mask_tokens[name] = self.add_weight(
                    shape=(1, self.width),
                    initializer=array_init(),
                    trainable=self.mask_probs.get(name, 0.0) > 0.0,
                    name=f"{name}_mask_token",
                )

    def call(self, inputs, joined=True, mask=None):
        if not joined:
            return {name: self._apart(name, inputs[name]) for name in inputs}
        return ops.concatenate([self._padded(name, inputs[name]) for name in sorted(inputs)], 1)

    def _apart(self, name, array):
        if name not in self.position_widths:
            return {"features": self._padded(name, array)}
        if name not in self.paddings:
            return {"features": array}
        return {"features": array, "padding": ops.convert_to_tensor(self.paddings[name])[0]}

    def _padded(self, name, array):
        batch, length, _ = ops.shape(array)
        if name in self.paddings:
            padding = ops.cast(self.paddings[name], array.dtype)[None]
            padding = ops.broadcast_to(padding, (batch, length, padding.shape[-1]))
            array = ops.concatenate([array, padding], -1)
        probability = self.mask_probs.get(name, 0.0)
        if probability == 0.0:
            return array
        token = ops.cast(self.mask_tokens[name], array.dtype)[None]
        if probability == 1.0:
            return ops.broadcast_to(token, (batch, length, self.width))
        drawn = keras.random.uniform((batch, length, 1), seed=self.seed_generator)
        return ops.where(drawn < probability, token, array)

    def compute_mask(self, inputs, previous_mask):
        if self.position_widths:
            return None  # masks are passed to the attention directly
        if not isinstance(previous_mask, dict):
            return None
        if all(previous_mask.get(name) is None for name in inputs):
            return None
        masks = []
        for name in sorted(inputs):
            mask = previous_mask.get(name)
            if mask is None:
                mask = ops.ones_like(inputs[name][..., 0], dtype="bool")
            masks.append(ops.cast(mask, "bool"))
        return ops.concatenate(masks, axis=1)

    def compute_output_spec(self, inputs, joined=True, mask=None):
        if not joined:
            return {name: self._spec_apart(name, array) for name, array in inputs.items()}
        lengths = [array.shape[1] for array in inputs.values()]
        length = None if None in lengths else sum(lengths)
        batch = next(iter(inputs.values())).shape[0]
        return keras.KerasTensor((batch, length, self.width), self.compute_dtype)

    def _spec_apart(self, name, array):
        if name not in self.position_widths:
            shape = (*array.shape[:-1], self.width)
            return {"features": keras.KerasTensor(shape, self.compute_dtype)}
        spec = {"features": keras.KerasTensor(array.shape, self.compute_dtype)}
        if name in self.paddings:
            spec["padding"] = keras.KerasTensor(self.paddings[name].shape[1:], self.compute_dtype)
        return spec

    def get_config(self):
        return {
            **super().get_config(),
            "min_padding": self.min_padding,
            "mask_probs": dict(self.mask_probs) or None,
            "position_widths": self.position_widths,
            "seed": self.seed,
        }
