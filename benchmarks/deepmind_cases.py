"""The benchmark cases with DeepMind's own code: its modules, the published sizes, random weights.

Each case gives a function for `haiku.transform_with_state` and its inputs. It has no Perceiver 1,
so that is composed of its layers as in the paper.
"""

import haiku as hk
import numpy as np
from jax import numpy as jnp

from benchmarks.fourier import image_positions
from benchmarks.sizes import IMAGENET, MULTIMODAL

SIDE, FRAME = 224, (368, 496)
SAMPLES, PATCH, FRAMES, VIDEO = 30720, 16, 16, 56


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, "float32")


def fourier(num_bands, resolution):
    """Options of a module with Fourier positions."""
    sizes = {"num_bands": num_bands, "max_resolution": resolution}
    sizes.update(sine_only=False, concat_pos=True)
    return {"position_encoding_type": "fourier", "fourier_position_encoding_kwargs": sizes}


def trainable(channels):
    """Options of a module with learned positions."""
    sizes = {"num_channels": channels, "init_scale": 0.02}
    return {"position_encoding_type": "trainable", "trainable_position_encoding_kwargs": sizes}


class Cases:
    """All cases as methods.

    Args:
        perceiver: The module of that name of DeepMind's code.
        io_processors: The other.
    """

    def __init__(self, perceiver, io_processors):
        self.perceiver, self.processors = perceiver, io_processors

    def cross(self, name):
        return self.perceiver.CrossAttention(num_heads=1, name=name)

    def self_attends(self, depth):
        made = self.perceiver.SelfAttention
        return [made(widening_factor=1, num_heads=8) for _ in range(depth)]

    def encoder_attention(self, batch, side=SIDE):
        positions = np.broadcast_to(image_positions(side, 64), (batch, side * side, 258))
        inputs = {
            "latents": normal(batch, IMAGENET["num_latents"], IMAGENET["latent_dim"]),
            "inputs": np.concatenate([normal(batch, side * side, 3), positions], -1),
        }

        def call(latents, inputs, is_training):
            return self.cross("cross")(latents, inputs, is_training=is_training)

        return call, inputs

    inputs = encoder_attention

    def perceiver_imagenet(self, batch):
        return self.perceiver_1(batch, cross=8, depth=6)

    def depth(self, batch, depth=6, side=SIDE):
        return self.perceiver_1(batch, cross=1, depth=depth, side=side)

    def perceiver_1(self, batch, cross, depth, side=SIDE):
        def call(images, is_training):
            read = self.processors.ImagePreprocessor(
                prep_type="pixels", spatial_downsample=1, **fourier(64, (side, side))
            )
            inputs, _, _ = read(images, is_training=is_training)
            table = hk.get_parameter(
                "latents",
                [IMAGENET["num_latents"], IMAGENET["latent_dim"]],
                init=hk.initializers.TruncatedNormal(0.02),
            )
            latents = jnp.broadcast_to(table, (images.shape[0], *table.shape))
            first, layers = self.cross("first"), self.self_attends(depth)
            others = self.cross("others") if cross > 1 else None
            for i in range(cross):
                attend = others if i else first
                latents = attend(latents, inputs, is_training=is_training)
                for layer in layers:
                    latents = layer(latents, is_training=is_training)
            return hk.Linear(1000, name="logits")(latents.mean(1))

        return call, {"images": normal(batch, side, side, 3)}

    def perceiver_io_imagenet_fourier(self, batch):
        read = {"prep_type": "pixels", "spatial_downsample": 1, **fourier(64, (SIDE, SIDE))}
        return self.imagenet(batch, read)

    def perceiver_io_imagenet_learned(self, batch):
        read = {"prep_type": "conv1x1", "spatial_downsample": 1, "num_channels": 256}
        read.update(project_pos_dim=256, **trainable(256))
        return self.imagenet(batch, read, use_query_residual=False)

    def perceiver_io_imagenet_conv(self, batch):
        return self.imagenet(batch, {"prep_type": "conv", **fourier(64, (SIDE // 4, SIDE // 4))})

    def imagenet(self, batch, read, use_query_residual=True):
        def call(images, is_training):
            model = self.perceiver.Perceiver(
                input_preprocessor=self.processors.ImagePreprocessor(**read),
                encoder=self.perceiver.PerceiverEncoder(),  # has these sizes by default
                decoder=self.perceiver.ClassificationDecoder(
                    1000, use_query_residual=use_query_residual, **trainable(1024)
                ),
            )
            return model(images, is_training=is_training)

        return call, {"images": normal(batch, SIDE, SIDE, 3)}

    def language(self, batch, length=2048, width=768, latent_dim=1280):
        def call(ids, mask, is_training):
            embed = hk.Embed(vocab_size=262, embed_dim=width)
            positions = self.perceiver.position_encoding.TrainablePositionEncoding(length, width)
            attention = {"num_z_channels": latent_dim, "qk_channels": 256}
            model = self.perceiver.Perceiver(
                encoder=self.perceiver.PerceiverEncoder(
                    num_self_attends_per_block=26,
                    num_blocks=1,
                    z_index_dim=256,
                    v_channels=latent_dim,
                    num_cross_attend_heads=8,
                    **attention,
                ),
                decoder=self.perceiver.BasicDecoder(
                    output_num_channels=latent_dim,
                    output_index_dims=length,
                    v_channels=width,
                    num_heads=8,
                    final_project=False,
                    **attention,
                    **trainable(width),
                ),
            )
            embedded = embed(ids) + positions(ids.shape[0])
            found = model(embedded, is_training=is_training, input_mask=mask, query_mask=mask)
            return self.processors.EmbeddingDecoder(embedding_matrix=embed.embeddings)(found)

        ids = np.random.default_rng(0).integers(6, 262, (batch, length)).astype("int32")
        return call, {"ids": ids, "mask": np.ones_like(ids)}

    def optical_flow(self, batch):
        def call(images, is_training):
            model = self.perceiver.Perceiver(
                input_preprocessor=self.processors.ImagePreprocessor(
                    prep_type="patches",
                    spatial_downsample=1,
                    temporal_downsample=2,
                    conv_after_patching=True,
                    **fourier(64, FRAME),
                ),
                encoder=self.perceiver.PerceiverEncoder(
                    num_self_attends_per_block=24,
                    num_blocks=1,
                    z_index_dim=2048,
                    num_z_channels=512,
                    num_self_attend_heads=16,
                ),
                decoder=self.perceiver.FlowDecoder(FRAME, **fourier(64, FRAME)),
            )
            patches = self.processors.patches_for_flow(images)
            return 20 * model(patches, is_training=is_training)

        return call, {"images": normal(batch, 2, *FRAME, 3)}

    def multimodal(self, batch):
        points = {
            "image": np.arange(MULTIMODAL["decoded_pixels"]),
            "audio": np.arange(MULTIMODAL["decoded_patches"]),
        }
        inputs = {
            "image": normal(batch, FRAMES, SIDE, SIDE, 3),
            "audio": normal(batch, SAMPLES, 1),
            "label": np.zeros((batch, 700), "float32"),
        }

        def call(inputs, points, is_training):
            points = {**points, "label": None}
            model = self.perceiver.Perceiver(
                input_preprocessor=self.clip_reader(),
                encoder=self.perceiver.PerceiverEncoder(
                    num_self_attends_per_block=8,
                    num_blocks=1,
                    z_index_dim=784,
                    num_z_channels=512,
                ),
                decoder=self.clip_decoder(inputs["image"].shape[:4], points),
                output_postprocessor=self.clip_writer(),
            )
            return model(inputs, is_training=is_training, subsampled_output_points=points)

        return call, {"inputs": inputs, "points": points}

    def clip_reader(self):
        video, audio = fourier(32, (FRAMES, VIDEO, VIDEO)), fourier(192, (SAMPLES,))
        return self.processors.MultimodalPreprocessor(
            min_padding_size=4,
            modalities={
                "audio": self.processors.AudioPreprocessor(
                    prep_type="patches", samples_per_patch=PATCH, **audio
                ),
                "image": self.processors.ImagePreprocessor(prep_type="patches", **video),
                "label": self.processors.OneHotPreprocessor(),
            },
            mask_probs={"image": 0.0, "audio": 0.0, "label": 1.0},
        )

    def clip_decoder(self, shape, points):
        video, audio = fourier(32, (FRAMES, VIDEO, VIDEO)), fourier(192, (SAMPLES,))
        counts = {name: 1 if value is None else len(value) for name, value in points.items()}
        return self.perceiver.MultimodalDecoder(
            subsampled_index_dims=counts,
            modalities={
                "audio": self.perceiver.BasicDecoder(
                    output_index_dims=(SAMPLES // PATCH,), output_num_channels=512, **audio
                ),
                "image": self.perceiver.BasicVideoAutoencodingDecoder(
                    output_shape=shape, output_num_channels=512, **video
                ),
                "label": self.perceiver.ClassificationDecoder(700, **trainable(1024)),
            },
            num_outputs=None,
            output_num_channels=512,
        )

    def clip_writer(self):
        return self.processors.MultimodalPostprocessor(
            modalities={
                "audio": self.processors.AudioPostprocessor(samples_per_patch=PATCH),
                "image": self.processors.ProjectionPostprocessor(num_outputs=3),
                "label": self.processors.ClassificationPostprocessor(num_classes=700),
            }
        )
