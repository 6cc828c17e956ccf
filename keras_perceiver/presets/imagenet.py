"""ImageNet classifiers, as keyword arguments of `build_classifier` and of their `Image` inputs.

>>> kp.build_classifier(kp.Image(**IMAGE_FOURIER), 1000, **PERCEIVER_IO_IMAGENET)
"""

# Raw pixels and Fourier positions: 50,176 inputs of width 261.
IMAGE_FOURIER = {"height": 224, "width": 224, "num_bands": 64}

# Learned positions, "no 2D knowledge": 50,176 inputs of width 256 + 256.
IMAGE_LEARNED = {
    "height": 224,
    "width": 224,
    "stem": "conv1x1",
    "stem_channels": 256,
    "positions": "learned",
    "position_dim": 256,
    "project_positions": 256,
}

# A 7x7 convolution and max-pooling: 3,136 inputs of width 64 + 258.
IMAGE_CONV = {"height": 224, "width": 224, "stem": "conv", "stem_channels": 64, "num_bands": 64}

# Perceiver (arXiv 2103.03206), section 4.1 and table 6: 44,912,254 parameters, 707.2 GFLOP,
# 78.0 % top-1. Eight cross-attends, each followed by the same six self-attends.
PERCEIVER_IMAGENET = {
    "head": "mean",
    "initialization": "papers",
    "num_latents": 512,
    "latent_dim": 1024,
    "num_cross_attends": 8,
    "num_self_attends_per_block": 6,
    "num_cross_attention_heads": 1,
    "num_self_attention_heads": 8,
}

# Perceiver IO (arXiv 2107.14795), table 7, "config A"; published as vision-perceiver-fourier
# (48,440,627 parameters, 79.0 % top-1) and -conv (48,646,522; 82.1 %). One cross-attend, then the
# same six self-attends eight times.
PERCEIVER_IO_IMAGENET = {
    "head": "query",
    "initialization": "papers",
    "num_latents": 512,
    "latent_dim": 1024,
    "num_blocks": 8,
    "num_self_attends_per_block": 6,
    "num_cross_attention_heads": 1,
    "num_self_attention_heads": 8,
}

# The same with learned positions; published as vision-perceiver-learned (62,255,848 parameters,
# 72.7 % top-1), whose decoder has no query residual. By default, the queries and keys of its
# cross-attention have the width of its inputs, 512, and those of its self-attention the width of
# its latents, 1024. `qk_channels=512` would set both, for 49,663,720 parameters.
PERCEIVER_IO_IMAGENET_LEARNED = {**PERCEIVER_IO_IMAGENET, "use_query_residual": False}
