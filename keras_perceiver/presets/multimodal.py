"""Multimodal autoencoding of Kinetics-700-2020, as arguments of `build_autoencoder`.

>>> kp.build_autoencoder({"video": kp.Video(**KINETICS_VIDEO), "label": kp.Labels(700),
...                       "audio": kp.Audio(**KINETICS_AUDIO)}, **MULTIMODAL)
"""

KINETICS_VIDEO = {"frames": 16, "height": 224, "width": 224, "num_bands": 32}

KINETICS_AUDIO = {
    "num_samples": 30720,
    "samples_per_patch": 16,
    "num_bands": 192,
    "max_resolution": 30720,
}

# Perceiver IO (arXiv 2107.14795), table 4, 88x compression, in the shapes of the published
# multimodal-perceiver: 19,858,855 parameters. `mask_probs` as at inference; 0.5 in training.
MULTIMODAL = {
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
}

# Appendix G: loss weights of the reconstruction run, and how much of each example is decoded in
# training: 512 pixels and 512 samples of sound.
KINETICS_LOSS_WEIGHTS = {"video": 0.03, "audio": 1.0, "label": 1e-4}
KINETICS_NUM_DECODED = {"video": 512, "audio": 512 // 16}
