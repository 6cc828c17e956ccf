"""Sets: point clouds and units of a game."""

from keras_perceiver.inputs.points import Points
from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.models.entity_encoder import build_entity_encoder
from keras_perceiver.presets.preset import Preset

PERCEIVER_MODELNET40 = Preset(
    "perceiver_modelnet40",
    build_classifier,
    {
        "inputs": Points(2000, num_bands=64, max_resolution=2240),
        "num_classes": 40,
        "head": "mean",
        "initialization": "papers",
        "num_latents": 512,
        "latent_dim": 1024,
        "num_cross_attends": 2,
        "num_self_attends_per_block": 6,
        "num_cross_attention_heads": 1,
        "num_self_attention_heads": 8,
    },
    parameters=44_772_202,
    gflops=101.68,
    source=(
        "Perceiver (arXiv 2103.03206), section 4.3 and table 4: 85.7 % of ModelNet40. Two "
        "cross-attends with six self-attends each, 64 frequencies up to 1,120; the widths and what "
        "is shared are taken from the ImageNet model. No weights were published."
    ),
)

PERCEIVER_IO_STARCRAFT_ENTITIES = Preset(
    "perceiver_io_starcraft_entities",
    build_entity_encoder,
    {
        "num_entities": 512,
        "num_features": 128,
        "channels": 256,
        "pooled_channels": 256,
        "initialization": "papers",
        "num_latents": 32,
        "latent_dim": 512,
        "num_self_attends_per_block": 3,
        "num_cross_attention_heads": 1,
        "num_self_attention_heads": 8,
    },
    parameters=6_204_442,
    gflops=0.8688,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 9 and appendix B: the encoder of up to 512 units "
        "in AlphaStar, 32 latents and 3 layers, win rate 0.87. The paper does not give the "
        "width of the latents; 512 is a choice. No weights were published."
    ),
)
