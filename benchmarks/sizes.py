"""The published sizes, for the peers' models and for counting operations."""

IMAGENET = {"num_latents": 512, "latent_dim": 1024}

# One of the 128 chunks in which the published code decodes a clip of 16 frames and 30,720 samples.
MULTIMODAL = {"decoded_pixels": 16 * 224 * 224 // 128, "decoded_patches": 30720 // 16 // 128}
