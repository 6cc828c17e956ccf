"""Autoencoding and classification of video with sound."""

from keras_perceiver.inputs.audio import Audio
from keras_perceiver.inputs.labels import Labels
from keras_perceiver.inputs.video import Video
from keras_perceiver.models.autoencoder import build_autoencoder
from keras_perceiver.models.classifier import build_classifier
from keras_perceiver.presets.preset import Preset

PERCEIVER_IO_MULTIMODAL_AUTOENCODER = Preset(
    "perceiver_io_multimodal_autoencoder",
    build_autoencoder,
    {
        "inputs": {
            "video": Video(16, 224, 224, num_bands=32, max_resolution=(16, 56, 56)),
            "audio": Audio(30720, samples_per_patch=16, num_bands=192, max_resolution=30720),
            "label": Labels(700),
        },
        "initialization": "papers",
        "num_latents": 784,
        "latent_dim": 512,
        "num_self_attends_per_block": 8,
        "num_self_attention_heads": 8,
        "min_input_padding": 4,
        "mask_probs": {"label": 1.0},
        "label_query_dim": 1024,
        "decoder_qk_channels": 512,
        "decoder_v_channels": 512,
        "decoder_output_dim": 512,
        "endpoint": False,
    },
    parameters=19_858_855,
    gflops=7470.42,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 4 and appendix G, 88x compression of "
        "Kinetics-700-2020: audio PSNR 26.97, video PSNR 24.37, top-1 10.2 %. Encoding once and "
        "decoding all 804,737 outputs; one of 128 chunks, with the encoder, is 307.28 GFLOP. The "
        "label is hidden, as at inference: use mask_probs={'label': 0.5} in training, with "
        "`KINETICS_LOSS_WEIGHTS` and `KINETICS_NUM_DECODED`. The paper's text has 480 patches of "
        "sound and wider positions of video; the released model has 1,920 and narrower ones."
    ),
    huggingface="deepmind/multimodal-perceiver",
    deepmind="video_autoencoding_checkpoint.pystate",
)

# Appendix G: loss weights of the reconstruction run, and how much of each example is decoded in
# training: 512 pixels and 512 samples of sound.
KINETICS_LOSS_WEIGHTS = {"video": 0.03, "audio": 1.0, "label": 1e-4}
KINETICS_NUM_DECODED = {"video": 512, "audio": 512 // 16}

# 32 frames (1.28 s) in patches of 2x8x8, 12,544 of them, and 61,440 samples in 480 patches of 128;
# both of width 487, of which the last 4 of video say which modality it is.
_AUDIOSET = {
    "inputs": {
        "video": Video(
            32, 224, 224, patch_size=(2, 8, 8), num_bands=16, max_resolution=(16, 28, 28)
        ),
        "audio": Audio(61440, samples_per_patch=128, num_bands=64, max_resolution=480),
    },
    "num_classes": 527,
    "multi_label": True,
    "initialization": "papers",
    "num_latents": 512,
    "latent_dim": 512,
    "num_self_attends_per_block": 12,
    "num_self_attention_heads": 8,
    "min_input_padding": 4,
}

PERCEIVER_AUDIOSET = Preset(
    "perceiver_audioset",
    build_classifier,
    {**_AUDIOSET, "head": "mean"},
    parameters=20_971_870,
    gflops=52.16,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 10, its rerun of the Perceiver on raw audio and "
        "video: mAP 42.4. (The first paper, arXiv 2103.03206, table 3, has two cross-attends of "
        "eight layers each and does not give the width: mAP 43.5.) No weights were published."
    ),
)

PERCEIVER_IO_AUDIOSET = Preset(
    "perceiver_io_audioset",
    build_classifier,
    {**_AUDIOSET, "head": "query", "query_dim": 1024},
    parameters=24_922_462,
    gflops=52.71,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 10, raw audio and video: mAP 43.3. No weights were "
        "published."
    ),
)
