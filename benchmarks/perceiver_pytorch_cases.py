"""The benchmark cases with perceiver-pytorch, as close to the papers as its modules allow.

Differences: keys and queries have no bias, and the hidden layer of the feed-forward block is gated
(three matrix products of the width instead of two, with `mult=1`). Its modules are combined here as
in the paper, because its own `Perceiver` shares weights in another way.
"""

import torch
from perceiver_pytorch.perceiver_pytorch import Attention, FeedForward, PreNorm
from torch import nn

from benchmarks.fourier import image_positions
from benchmarks.sizes import IMAGENET


class Layer(nn.Module):
    """Attention and feed-forward block, each with pre-norm and residual."""

    def __init__(self, width, context=None, heads=8, dim_head=128):
        super().__init__()
        attention = Attention(width, context, heads=heads, dim_head=dim_head)
        self.attention = PreNorm(width, attention, context_dim=context)
        self.feed_forward = PreNorm(width, FeedForward(width, mult=1))

    def forward(self, x, **context):
        x = x + self.attention(x, **context)
        return x + self.feed_forward(x)


class EncoderAttention(nn.Module):
    def __init__(self, width=261):
        super().__init__()
        self.layer = Layer(IMAGENET["latent_dim"], width, heads=1, dim_head=width)

    def forward(self, latents, inputs):
        return self.layer(latents, context=inputs)


class Perceiver1(nn.Module):
    def __init__(self, cross=8, depth=6, num_classes=1000, side=224):
        super().__init__()
        latents, width = IMAGENET["num_latents"], IMAGENET["latent_dim"]
        self.latents = nn.Parameter(0.02 * torch.randn(latents, width))
        self.register_buffer("positions", torch.tensor(image_positions(side, 64)))
        channels = 3 + self.positions.shape[-1]
        self.first, self.others = (
            Layer(width, channels, heads=1, dim_head=channels) for _ in range(2)
        )
        self.self_attends = nn.ModuleList([Layer(width) for _ in range(depth)])
        self.cross = cross
        self.logits = nn.Linear(width, num_classes)

    def forward(self, images):
        batch = images.shape[0]
        positions = self.positions.expand(batch, -1, -1)
        inputs = torch.cat([images.reshape(batch, -1, 3), positions], -1)
        latents = self.latents.expand(batch, -1, -1)
        for i in range(self.cross):
            latents = (self.others if i else self.first)(latents, context=inputs)
            for layer in self.self_attends:
                latents = layer(latents)
        return self.logits(latents.mean(1))


def encoder_attention(batch, side=224):
    positions = torch.tensor(image_positions(side, 64)).expand(batch, -1, -1)
    inputs = torch.cat([torch.randn(batch, side * side, 3), positions], -1)
    latents = torch.randn(batch, IMAGENET["num_latents"], IMAGENET["latent_dim"])
    return EncoderAttention(), {"latents": latents, "inputs": inputs}


def perceiver_imagenet(batch):
    return Perceiver1(), {"images": torch.randn(batch, 224, 224, 3)}


CASES = {
    "encoder_attention": encoder_attention,
    "perceiver_imagenet": perceiver_imagenet,
    "inputs": encoder_attention,
}
