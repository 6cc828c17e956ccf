"""The benchmark cases with Hugging Face transformers: its classes and layers, random weights."""

import torch
from torch import nn
from transformers import PerceiverConfig
from transformers.models.perceiver import modeling_perceiver as perceiver

from benchmarks.fourier import image_positions
from benchmarks.sizes import IMAGENET, MULTIMODAL


def config(**sizes):
    """A configuration without dropout, like ours."""
    return PerceiverConfig(attention_probs_dropout_prob=0.0, **sizes)


def cross_layer(width):
    return perceiver.PerceiverLayer(
        config(),
        is_cross_attention=True,
        num_heads=1,
        q_dim=IMAGENET["latent_dim"],
        kv_dim=width,
        widening_factor=1,
    )


def self_layer():
    width = IMAGENET["latent_dim"]
    return perceiver.PerceiverLayer(
        config(), num_heads=8, q_dim=width, kv_dim=width, widening_factor=1
    )


class Perceiver1(nn.Module):
    """Perceiver 1 made of transformers' layers: `cross` cross-attends, each followed by `depth`
    self-attends; the first cross-attend has its own weights, the others share, as in the paper."""

    def __init__(self, cross=8, depth=6, num_classes=1000, side=224):
        super().__init__()
        latents, width = IMAGENET["num_latents"], IMAGENET["latent_dim"]
        self.latents = nn.Parameter(0.02 * torch.randn(latents, width))
        self.register_buffer("positions", torch.tensor(image_positions(side, 64)))
        channels = 3 + self.positions.shape[-1]
        self.first = cross_layer(channels)
        self.others = cross_layer(channels) if cross > 1 else None
        self.self_attends = nn.ModuleList([self_layer() for _ in range(depth)])
        self.cross = cross
        self.logits = nn.Linear(width, num_classes)

    def forward(self, images):
        batch = images.shape[0]
        positions = self.positions.expand(batch, -1, -1)
        inputs = torch.cat([images.reshape(batch, -1, 3), positions], -1)
        latents = self.latents.expand(batch, -1, -1)
        for i in range(self.cross):
            latents = (self.others if i else self.first)(latents, inputs=inputs)[0]
            for layer in self.self_attends:
                latents = layer(latents)[0]
        return self.logits(latents.mean(1))


class EncoderAttention(nn.Module):
    """One cross-attend to inputs that already contain their positions."""

    def __init__(self, width=261):
        super().__init__()
        self.layer = cross_layer(width)

    def forward(self, latents, inputs):
        return self.layer(latents, inputs=inputs)[0]


def encoder_attention(batch, side=224):
    positions = torch.tensor(image_positions(side, 64)).expand(batch, -1, -1)
    inputs = torch.cat([torch.randn(batch, side * side, 3), positions], -1)
    latents = torch.randn(batch, IMAGENET["num_latents"], IMAGENET["latent_dim"])
    return EncoderAttention(), {"latents": latents, "inputs": inputs}


def perceiver_imagenet(batch):
    return Perceiver1(), {"images": torch.randn(batch, 224, 224, 3)}


def depth(batch, depth=6, side=224):
    model = Perceiver1(cross=1, depth=depth, side=side)
    return model, {"images": torch.randn(batch, side, side, 3)}


def perceiver_io_imagenet(batch, model, width):
    sizes = config(
        num_latents=512,
        d_latents=1024,
        d_model=width,
        num_blocks=8,
        num_self_attends_per_block=6,
        num_cross_attention_heads=1,
        num_self_attention_heads=8,
        num_labels=1000,
    )
    return model(sizes), {"inputs": torch.randn(batch, 3, 224, 224)}


def perceiver_io_imagenet_fourier(batch):
    return perceiver_io_imagenet(batch, perceiver.PerceiverForImageClassificationFourier, 261)


def perceiver_io_imagenet_learned(batch):
    return perceiver_io_imagenet(batch, perceiver.PerceiverForImageClassificationLearned, 512)


def perceiver_io_imagenet_conv(batch):
    model = perceiver.PerceiverForImageClassificationConvProcessing
    return perceiver_io_imagenet(batch, model, 322)


def language(batch):
    sizes = config(qk_channels=256, v_channels=1280)
    inputs = {"inputs": torch.randint(6, 262, (batch, 2048))}
    return perceiver.PerceiverForMaskedLM(sizes), inputs


def optical_flow(batch):
    sizes = config(
        num_latents=2048,
        d_latents=512,
        d_model=322,
        num_self_attends_per_block=24,
        num_cross_attention_heads=1,
        num_self_attention_heads=16,
    )
    inputs = {"inputs": torch.randn(batch, 2, 27, 368, 496)}
    return perceiver.PerceiverForOpticalFlow(sizes), inputs


def multimodal(batch):
    sizes = config(
        num_latents=784,
        d_latents=512,
        d_model=704,
        num_self_attends_per_block=8,
        num_cross_attention_heads=1,
        num_self_attention_heads=8,
        num_labels=700,
        output_shape=[batch, 16, 224, 224],
    )
    clip = {
        "image": torch.randn(batch, 16, 3, 224, 224),
        "audio": torch.randn(batch, 30720, 1),
        "label": torch.zeros(batch, 700),
    }
    points = {
        "image": torch.arange(MULTIMODAL["decoded_pixels"]),
        "audio": torch.arange(MULTIMODAL["decoded_patches"]),
        "label": None,
    }
    model = perceiver.PerceiverForMultimodalAutoencoding(sizes)
    return model, {"inputs": clip, "subsampled_output_points": points}


CASES = {
    "encoder_attention": encoder_attention,
    "perceiver_imagenet": perceiver_imagenet,
    "perceiver_io_imagenet_fourier": perceiver_io_imagenet_fourier,
    "perceiver_io_imagenet_learned": perceiver_io_imagenet_learned,
    "perceiver_io_imagenet_conv": perceiver_io_imagenet_conv,
    "language": language,
    "optical_flow": optical_flow,
    "multimodal": multimodal,
    "inputs": encoder_attention,
    "depth": depth,
}
