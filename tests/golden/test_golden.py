"""Our models give the answers of the reference, in both numerics, with its weights.

The golden files hold float64 results; float32 differs from them by about 1e-5 in the latents.
"""

import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp
from tests.golden.transfer import Golden

NUMERICS = pytest.mark.parametrize("numerics", ["deepmind", "huggingface"])


def close(ours, theirs, tolerance=3e-5):
    ours = ops.convert_to_numpy(ours)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def encoded(model, golden, tolerance=3e-5, **inputs):
    """Compares the latents, and returns them."""
    latents = model.get_layer("encoder")(inputs if len(inputs) > 1 else next(iter(inputs.values())))
    close(latents, golden.outputs["latents"], tolerance)
    return latents


@NUMERICS
def test_encoder(numerics):
    golden = Golden("encoder", numerics)
    config = golden.config
    model = kp.Perceiver(
        kp.Entities(config["num_tokens"], config["input_channels"]),
        kp.Classes(2),
        **golden.encoder,
        **golden.numerics,
    )
    golden.encoder_weights(model, prefix="")
    golden.check_all_used()
    encoder, array = model.get_layer("encoder"), golden.inputs["inputs"]
    for mask, output in (
        (golden.inputs["mask"], "latents"),
        (golden.inputs["mask_with_empty_row"], "latents_empty_row"),
        (np.ones_like(golden.inputs["mask"]), "latents_no_mask"),
    ):
        latents = encoder({"entities": array, "entities_mask": mask.astype(bool)})
        close(latents, golden.outputs[output], 1e-5)


def image_classifier(golden, image):
    config = golden.config
    model = kp.build_classifier(
        image,
        config["num_classes"],
        compile=False,
        **golden.encoder,
        **golden.decoder,
        **golden.numerics,
    )
    golden.encoder_weights(model)
    golden.decoder_weights(model)
    decoder = model.get_layer("decoder")
    query = "perceiver.decoder.decoder.output_position_encodings.position_embeddings"
    golden.assign(decoder.get_layer("classes_query").table, query)
    head = decoder.get_layer("classes_head").output_layer
    golden.dense(head, "perceiver.decoder.decoder.final_layer")
    return model, model.get_layer("encoder").get_layer("image_inputs")


@NUMERICS
def test_vision_fourier(numerics):
    golden = Golden("vision_fourier", numerics)
    config = golden.config
    image = kp.Image(
        *config["image_shape"],
        num_bands=config["num_bands"],
        max_resolution=config["max_resolution"],
    )
    model, reader = image_classifier(golden, image)
    golden.check_all_used()
    pixels = golden.inputs["image"]
    close(reader(pixels), golden.outputs["preprocessed"], 1e-6)
    encoded(model, golden, image=pixels)
    close(model(pixels), golden.outputs["logits"], 1e-5)


@NUMERICS
def test_vision_learned(numerics):
    golden = Golden("vision_learned", numerics)
    config = golden.config
    image = kp.Image(
        *config["image_shape"],
        stem="conv1x1",
        stem_channels=config["conv_channels"],
        positions="learned",
        position_dim=config["position_channels"],
        project_positions=config["projected_position_channels"],
    )
    model, reader = image_classifier(golden, image)
    stem = reader.stem_layer.projection
    prefix = "perceiver.input_preprocessor"
    stem.kernel.assign(golden.take(f"{prefix}.convnet_1x1.weight")[:, :, 0, 0].T)
    golden.assign(stem.bias, f"{prefix}.convnet_1x1.bias")
    golden.assign(reader.encoding.table, f"{prefix}.position_embeddings.position_embeddings")
    golden.dense(reader.projection, f"{prefix}.positions_projection")
    golden.check_all_used()
    pixels = golden.inputs["image"]
    close(reader(pixels), golden.outputs["preprocessed"], 1e-5)
    encoded(model, golden, image=pixels)
    close(model(pixels), golden.outputs["logits"], 1e-5)


@NUMERICS
def test_vision_conv(numerics):
    golden = Golden("vision_conv", numerics)
    config = golden.config
    image = kp.Image(
        *config["image_shape"],
        stem="conv",
        stem_channels=config["conv_channels"],
        num_bands=config["num_bands"],
        max_resolution=config["max_resolution"],
        symmetric_padding=numerics == "huggingface",
    )
    model, reader = image_classifier(golden, image)
    prefix = "perceiver.input_preprocessor.convnet"
    (conv,), (norm,) = reader.stem_layer.convs, reader.stem_layer.norms
    golden.assign(conv.kernel, f"{prefix}.conv.weight", (2, 3, 1, 0))
    golden.norm(norm, f"{prefix}.batchnorm")
    golden.assign(norm.moving_mean, f"{prefix}.batchnorm.running_mean")
    golden.assign(norm.moving_variance, f"{prefix}.batchnorm.running_var")
    golden.check_all_used(but=[f"{prefix}.batchnorm.num_batches_tracked"])
    pixels = golden.inputs["image"]
    close(reader(pixels), golden.outputs["preprocessed"], 1e-5)
    encoded(model, golden, image=pixels)
    close(model(pixels), golden.outputs["logits"], 1e-5)


@NUMERICS
def test_language(numerics):
    golden = Golden("language", numerics)
    config = golden.config
    model = kp.build_masked_language_model(
        config["max_positions"],
        config["vocab_size"],
        dim=config["input_channels"],
        masked=True,
        mask_queries=config["query_mask_in_decoder"],
        compile=False,
        **golden.encoder,
        **golden.decoder,
        **golden.numerics,
    )
    golden.encoder_weights(model)
    golden.decoder_weights(model, prefix="perceiver.decoder.")
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    text = encoder.get_layer("text_inputs")
    golden.assign(text.table, "perceiver.input_preprocessor.embeddings.weight")
    golden.assign(text.encoding.table, "perceiver.input_preprocessor.position_embeddings.weight")
    queries = "perceiver.decoder.output_position_encodings.position_embeddings"
    golden.assign(decoder.get_layer("tokens_queries").table, queries)
    golden.assign(decoder.get_layer("tokens_head").bias, "embedding_decoder.bias")
    # The reference lists the tied table under a second name.
    golden.check_all_used(but=["embedding_decoder.weight"])
    ids = golden.inputs["ids"]
    close(text(ids), golden.outputs["preprocessed"], 1e-6)
    for mask, ending in (
        (golden.inputs["mask"], ""),
        (golden.inputs["mask_with_empty_row"], "_empty_row"),
        (np.ones_like(golden.inputs["mask"]), "_no_mask"),
    ):
        inputs = {"text": ids, "text_mask": mask.astype(bool)}
        close(encoder(inputs), golden.outputs[f"latents{ending}"])
        close(model(inputs), golden.outputs[f"logits{ending}"], 5e-5)


@NUMERICS
def test_flow(numerics):
    golden = Golden("flow", numerics)
    config = golden.config
    model = kp.Perceiver(
        kp.FramePair(
            *config["image_shape"],
            neighbourhood=config["patch_size"],
            stem_channels=config["projected_channels"],
            num_bands=config["num_bands"],
            max_resolution=config["max_resolution"],
        ),
        kp.Flow(scale=1 / config["rescale_factor"]),
        **golden.encoder,
        **golden.decoder,
        **golden.numerics,
    )
    golden.encoder_weights(model)
    golden.decoder_weights(model)
    reader = model.get_layer("encoder").get_layer("frames_inputs")
    golden.dense(reader.projection_in, "perceiver.input_preprocessor.conv_after_patches")
    head = model.get_layer("decoder").get_layer("flow_head").output_layer
    golden.dense(head, "perceiver.decoder.decoder.final_layer")
    golden.check_all_used()
    frames = golden.inputs["frames"]
    close(reader(frames), golden.outputs["preprocessed"], 1e-5)
    latents = encoded(model, golden, frames=frames)
    close(model(frames), golden.outputs["flow"], 1e-6)
    in_chunks = model.decode(latents, inputs={"frames": frames}, chunk_size=37)
    close(in_chunks, golden.outputs["flow"], 1e-6)


@NUMERICS
def test_multimodal(numerics):
    golden = Golden("multimodal", numerics)
    config = golden.config
    frames, height, width = config["video_shape"][:3]
    model = kp.build_autoencoder(
        {
            "image": kp.Video(
                frames,
                height,
                width,
                patch_size=config["video_patch"],
                num_bands=config["video_bands"],
                max_resolution=config["video_max_resolution"],
            ),
            "audio": kp.Audio(
                config["audio_samples"],
                config["samples_per_patch"],
                num_bands=config["audio_bands"],
                max_resolution=config["audio_max_resolution"],
            ),
            "label": kp.Labels(config["num_classes"]),
        },
        min_input_padding=config["min_padding"],
        min_query_padding=config["query_min_padding"],
        mask_probs=config["mask_probs"],
        label_query_dim=config["label_query_channels"],
        decoder_output_dim=config["decoder_output_channels"],
        endpoint=False,
        compile=False,
        **golden.encoder,
        **golden.decoder,
        **golden.numerics,
    )
    golden.encoder_weights(model)
    golden.decoder_weights(model)
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    inputs, queries = encoder.get_layer("inputs"), decoder.get_layer("queries")
    for key in ("audio", "image", "label"):
        prefix = "perceiver.input_preprocessor"
        golden.assign(inputs.paddings[key], f"{prefix}.padding.{key}")
        golden.assign(inputs.mask_tokens[key], f"{prefix}.mask.{key}")
        golden.assign(queries.paddings[key], f"perceiver.decoder.padding.{key}")
        head = decoder.get_layer(f"{key}_head").output_layer
        golden.dense(head, f"perceiver.output_postprocessor.modalities.{key}.classifier")
    label_query = "perceiver.decoder.modalities.label.decoder.output_position_encodings"
    golden.assign(decoder.get_layer("label_query").table, f"{label_query}.position_embeddings")
    last = decoder.get_layer("output_query_decoder").output_layer
    golden.dense(last, "perceiver.decoder.decoder.final_layer")
    golden.check_all_used()

    raw = {key: golden.inputs[key] for key in ("image", "audio", "label")}
    latents = encoded(model, golden, **raw)
    whole = model(raw)
    want = {key: golden.outputs[key] for key in raw}
    for key, answer in whole.items():
        close(ops.reshape(answer, want[key].shape), want[key])
    for key in ("image", "audio"):  # the indices of the files are not sorted
        part = model.decode(latents, output=key, indices=golden.inputs[f"{key}_indices"])
        wanted = golden.outputs[f"{key}_subsampled"]
        close(part.reshape(wanted.shape), wanted)
