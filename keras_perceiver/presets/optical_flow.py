"""Optical flow between two frames."""

from keras_perceiver.models.optical_flow import build_optical_flow
from keras_perceiver.presets.preset import Preset

_SIZES = {
    "height": 368,
    "width": 496,
    "num_bands": 64,
    "initialization": "papers",
    "num_latents": 2048,
    "latent_dim": 512,
    "num_self_attends_per_block": 24,
    "num_self_attention_heads": 16,
    "decoder_qk_channels": 512,
    "decoder_v_channels": 512,
}

PERCEIVER_IO_OPTICAL_FLOW = Preset(
    "perceiver_io_optical_flow",
    build_optical_flow,
    {**_SIZES, "max_resolution": (368, 496)},
    parameters=41_057_134,
    gflops=1886.7,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 3 and table 16, concatenated frames without "
        "downsampling: Sintel final 2.42. The paper's text gives 27.9M parameters and 987 GFLOP, "
        "which 16 layers and 1,024 latents would have; the published model has 24 and 2,048."
    ),
    huggingface="deepmind/optical-flow-perceiver",
    deepmind="optical_flow_checkpoint.pystate",
)

PERCEIVER_IO_OPTICAL_FLOW_CONV = Preset(
    "perceiver_io_optical_flow_conv",
    build_optical_flow,
    {**_SIZES, "stem": "conv", "upsampling": "convex", "max_resolution": (92, 124)},
    parameters=41_429_626,
    gflops=472.94,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 3 and appendix H, a 7x7 convolution and "
        "max-pooling on concatenated frames and RAFT's convex upsampling: Sintel final 2.52. The "
        "paper gives neither the number of parameters nor the hidden widths of the upsampling, "
        "which are RAFT's here. No weights were published."
    ),
)
