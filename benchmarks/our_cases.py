"""The benchmark cases with keras_perceiver, through its public API."""

import keras
import numpy as np

import keras_perceiver as kp
from benchmarks.sizes import IMAGENET, MULTIMODAL
from keras_perceiver import presets
from keras_perceiver.layers import FourierEncoding, LatentTransformer, SeparableCrossAttention


class Latents(keras.Model):
    """A cross-attention to images, optionally with a latent Transformer and logits, as a model."""

    def __init__(self, side, depth, classes=None, **kwargs):
        super().__init__(**kwargs)
        shape = (IMAGENET["num_latents"], IMAGENET["latent_dim"])
        self.attention = SeparableCrossAttention({"image": FourierEncoding(64, (side, side))})
        self.latents = None
        self.latent_transformer = LatentTransformer(depth, num_heads=8) if depth else None
        self.logits = keras.layers.Dense(classes) if classes else None
        images, width = (1, side, side, 3), (1, *shape)
        if classes:
            self.latents = self.add_weight(shape=shape, initializer="random_normal")
            self.logits.build((1, shape[1]))
        self.attention.build(width, {"image": {"features": images}})
        if depth:
            self.latent_transformer.build(width)
        self.built = True

    def call(self, inputs, training=None):
        images = inputs["images"]
        latents = inputs.get("latents")
        if latents is None:
            table = keras.ops.cast(self.latents, self.compute_dtype)
            latents = keras.ops.broadcast_to(table, (images.shape[0], *table.shape))
        latents = self.attention(latents, {"image": {"features": images}}, training=training)
        if self.latent_transformer is not None:
            latents = self.latent_transformer(latents, training=training)
        return latents if self.logits is None else self.logits(keras.ops.mean(latents, 1))


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, "float32")


def encoder_attention(batch, side=224):
    latents = normal(batch, IMAGENET["num_latents"], IMAGENET["latent_dim"])
    return Latents(side, 0), {"latents": latents, "images": normal(batch, side, side, 3)}


def depth(batch, depth=6, side=224):
    return Latents(side, depth, classes=1000), {"images": normal(batch, side, side, 3)}


def perceiver_imagenet(batch):
    model = presets.get("perceiver_imagenet").build(compile=False)
    return model, normal(batch, 224, 224, 3)


def perceiver_io_imagenet(variant):
    def case(batch):
        model = presets.get(f"perceiver_io_imagenet_{variant}").build(compile=False)
        return model, normal(batch, 224, 224, 3)

    return case


def language(batch):
    model = presets.get("perceiver_io_language_bytes").build(compile=False)
    ids = np.random.default_rng(0).integers(6, 262, (batch, 2048)).astype("int32")
    return model, fill(model, ids)


def optical_flow(batch):
    model = presets.get("perceiver_io_optical_flow").build(compile=False)
    return model, normal(batch, 2, 368, 496, 3)


def multimodal(batch):
    decoded = {"video": MULTIMODAL["decoded_pixels"], "audio": MULTIMODAL["decoded_patches"]}
    preset = presets.get("perceiver_io_multimodal_autoencoder")
    model = preset.build(num_decoded=decoded, compile=False)
    indices = {
        f"{name}_indices": np.tile(np.arange(count, dtype="int32"), (batch, 1))
        for name, count in decoded.items()
    }
    return model, fill(model, indices)


def tiny(batch):
    """A small case for the tests of the benchmarks."""
    model = kp.build_classifier(
        kp.Image(32, 32),
        10,
        num_latents=8,
        latent_dim=16,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
        compile=False,
    )
    return model, normal(batch, 32, 32, 3)


def fill(model, given):
    """All inputs of a model by name: the given ones, and random values or ones for the others."""
    if not isinstance(model.input, dict):
        return given
    given = given if isinstance(given, dict) else {next(iter(model.input)): given}
    batch = len(next(iter(given.values())))
    drawn = {}
    for name, tensor in model.input.items():
        if name in given:
            drawn[name] = given[name]
        elif "int" in str(tensor.dtype) or str(tensor.dtype) == "bool":
            drawn[name] = np.ones((batch, *tensor.shape[1:]), tensor.dtype)
        else:
            drawn[name] = normal(batch, *tensor.shape[1:])
    return drawn


CASES = {
    "encoder_attention": encoder_attention,
    "perceiver_imagenet": perceiver_imagenet,
    "perceiver_io_imagenet_fourier": perceiver_io_imagenet("fourier"),
    "perceiver_io_imagenet_learned": perceiver_io_imagenet("learned"),
    "perceiver_io_imagenet_conv": perceiver_io_imagenet("conv"),
    "language": language,
    "optical_flow": optical_flow,
    "multimodal": multimodal,
    "inputs": encoder_attention,
    "depth": depth,
    "tiny": tiny,
}
