"""Classifiers of ImageNet, 224 x 224 pixels."""

from keras_perceiver.inputs.image import Image
from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.presets.preset import Preset

# Raw pixels and Fourier positions: 50,176 inputs of width 3 + 258.
_PIXELS = {"height": 224, "width": 224, "num_bands": 64, "max_resolution": (224, 224)}

# A 7x7 convolution and max-pooling: 3,136 inputs of width 64 + 258.
_CONV = {
    **_PIXELS,
    "stem": "conv",
    "stem_channels": 64,
    "stem_norm": "batch",
    "max_resolution": (56, 56),
}

# Learned positions, "no 2D knowledge": 50,176 inputs of width 256 + 256.
_LEARNED = {
    "height": 224,
    "width": 224,
    "stem": "conv1x1",
    "stem_channels": 256,
    "positions": "learned",
    "position_dim": 256,
    "project_positions": 256,
}

_PERCEIVER = {
    "num_classes": 1000,
    "initialization": "papers",
    "num_latents": 512,
    "latent_dim": 1024,
    "num_self_attends_per_block": 6,
    "num_cross_attention_heads": 1,
    "num_self_attention_heads": 8,
}
_CONFIG_A = {**_PERCEIVER, "head": "query", "num_blocks": 8}
_CONFIG_B = {
    **_PERCEIVER,
    "head": "query",
    "num_self_attends_per_block": 16,
    "self_attention_widening_factor": 4,
}

PERCEIVER_IMAGENET = Preset(
    "perceiver_imagenet",
    build_classifier,
    {**_PERCEIVER, "inputs": Image(**_PIXELS), "head": "mean", "num_cross_attends": 8},
    parameters=44_912_254,
    gflops=706.3,
    source=(
        "Perceiver (arXiv 2103.03206), section 4.1 and table 6: 78.0 % top-1. Eight cross-attends, "
        "each followed by the same six self-attends; the first cross-attend has its own weights. "
        "The paper gives 707.2 GFLOP. No weights were published."
    ),
)

PERCEIVER_IO_IMAGENET_FOURIER = Preset(
    "perceiver_io_imagenet_fourier",
    build_classifier,
    {**_CONFIG_A, "inputs": Image(**_PIXELS)},
    parameters=48_440_627,
    gflops=406.12,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 7, config A with Fourier positions: 79.0 % top-1. "
        "One cross-attend, then the same six self-attends eight times."
    ),
    huggingface="deepmind/vision-perceiver-fourier",
    deepmind="imagenet_fourier_position_encoding.pystate",
)

PERCEIVER_IO_IMAGENET_LEARNED = Preset(
    "perceiver_io_imagenet_learned",
    build_classifier,
    {**_CONFIG_A, "inputs": Image(**_LEARNED), "use_query_residual": False},
    parameters=62_255_848,
    gflops=478.04,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 7, config A with learned positions: 72.7 % top-1. "
        "The paper gives 407 GFLOP; the published model reads inputs of width 512, not 261. Its "
        "decoder has no query residual in DeepMind's code, and has one in Hugging Face's."
    ),
    huggingface="deepmind/vision-perceiver-learned",
    deepmind="imagenet_learned_position_encoding.pystate",
)

PERCEIVER_IO_IMAGENET_CONV = Preset(
    "perceiver_io_imagenet_conv",
    build_classifier,
    {**_CONFIG_A, "inputs": Image(**_CONV)},
    parameters=48_646_522,
    gflops=369.36,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 7, config A with a convolution: 82.1 % top-1. "
        "Hugging Face's code pads the convolution in another way, for 55 x 55 instead of 56 x 56 "
        "inputs."
    ),
    huggingface="deepmind/vision-perceiver-conv",
    deepmind="imagenet_conv_preprocessing.pystate",
)

PERCEIVER_IO_IMAGENET_FOURIER_LARGE = Preset(
    "perceiver_io_imagenet_fourier_large",
    build_classifier,
    {**_CONFIG_B, "inputs": Image(**_PIXELS)},
    parameters=212_170_035,
    gflops=268.7,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 7, config B with Fourier positions: 84.5 "
        "% top-1 after pretraining on JFT. Sixteen self-attends of their own, with hidden layers "
        "four times as wide. The paper gives 212M parameters, as here, and 213 GFLOP, which 12 "
        "layers would have. Its text also projects pixels to width 256 (here, stem='conv1x1' and "
        "stem_channels=256), which would be 213M parameters. No weights were published."
    ),
)

PERCEIVER_IO_IMAGENET_CONV_LARGE = Preset(
    "perceiver_io_imagenet_conv_large",
    build_classifier,
    {**_CONFIG_B, "inputs": Image(**_CONV)},
    parameters=212_375_930,
    gflops=231.9,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 7, config B with a convolution: 86.4 % top-1 after "
        "pretraining on JFT. The paper gives 212M parameters, as here, and 176 GFLOP, which 12 "
        "layers would have. No weights were published."
    ),
)
