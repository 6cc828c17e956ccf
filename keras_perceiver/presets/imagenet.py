"""ImageNet classifiers, as keyword arguments of `build_classifier`.

>>> kp.build_classifier(kp.Array((224, 224, 3), num_bands=64), 1000, **PERCEIVER_IMAGENET)
"""

# Perceiver (arXiv 2103.03206), section 4.1 and table 6: 44,912,254 parameters, 707.2 GFLOP,
# 78.0 % top-1. Eight cross-attends, each followed by the same six self-attends.
PERCEIVER_IMAGENET = {
    "head": "mean",
    "num_latents": 512,
    "latent_dim": 1024,
    "num_cross_attends": 8,
    "num_self_attends_per_block": 6,
    "num_cross_attention_heads": 1,
    "num_self_attention_heads": 8,
}

# Perceiver IO (arXiv 2107.14795), table 7, "config A": 48,440,627 parameters, 407 GFLOP,
# 79.0 % top-1. One cross-attend, then the same six self-attends eight times.
PERCEIVER_IO_IMAGENET_FOURIER = {
    "head": "query",
    "num_latents": 512,
    "latent_dim": 1024,
    "num_blocks": 8,
    "num_self_attends_per_block": 6,
    "num_cross_attention_heads": 1,
    "num_self_attention_heads": 8,
    "use_query_residual": True,
}
