"""Optical flow, as keyword arguments of `build_optical_flow`.

>>> kp.build_optical_flow(368, 496, **OPTICAL_FLOW)
"""

# Perceiver IO (arXiv 2107.14795), table 3 and table 16, "concatenated frames, no downsampling";
# published as optical-flow-perceiver: 41,057,134 parameters, 1,887 GFLOP, Sintel final 2.42.
OPTICAL_FLOW = {
    "num_bands": 64,
    "initialization": "papers",
    "num_latents": 2048,
    "latent_dim": 512,
    "num_self_attends_per_block": 24,
    "num_self_attention_heads": 16,
    "decoder_qk_channels": 512,
    "decoder_v_channels": 512,
}
