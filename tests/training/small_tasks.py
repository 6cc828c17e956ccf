"""A small task for every builder: a model, and arrays to train it on."""

import numpy as np

import keras_perceiver as kp

SIZES = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
SIZES.update(num_self_attention_heads=2)
NUM_EXAMPLES = 9  # in batches of 4: the last one has a single example, and one device has none


def classifier(draw, **options):
    model = kp.build_classifier((5, 2), 3, **SIZES, **options)
    return model, (draw(5, 2), draw.whole(3))


def perceiver_io(draw, **options):
    model = kp.build_perceiver_io(
        {"cloud": kp.Points(5, 2, num_features=1, num_bands=2, max_resolution=4)},
        {"field": kp.AtPoints(2, channels=1, num_bands=2, max_resolution=4), "size": kp.Values(1)},
        **SIZES,
        **options,
    )
    x = {"cloud": draw(5, 2), "cloud_features": draw(5, 1), "field_points": draw(3, 2)}
    return model, (x, {"field": draw(3, 1), "size": draw(1)})


def masked_language_model(draw, **options):
    model = kp.build_masked_language_model(7, 11, dim=8, **SIZES, **options)
    ids = draw.whole(11, 7)
    ids[:, 5:] *= draw.whole(2, 1)  # id 0 is padding: some texts are shorter
    return model, (ids, ids, draw.whole(2, 7).astype("float32"))


def multitask_classifier(draw, **options):
    model = kp.build_multitask_classifier((5, 2), {"left": 2, "right": 3}, **SIZES, **options)
    return model, (draw(5, 2), {"left": draw.whole(2), "right": draw.whole(3)})


def optical_flow(draw, **options):
    model = kp.build_optical_flow(4, 4, num_bands=2, stem_channels=8, **SIZES, **options)
    return model, (draw(2, 4, 4, 3), draw(4, 4, 2))


def autoencoder(draw, **options):
    inputs = {"image": kp.Image(4, 4, 1), "audio": kp.Audio(6, 2)}
    model = kp.build_autoencoder(inputs, **SIZES, **options)
    x = {"image": draw(4, 4, 1), "audio": draw(6, 1)}
    return model, (x, x)


def entity_encoder(draw, **options):
    model = kp.build_entity_encoder(5, 2, channels=None, num_classes=3, **SIZES, **options)
    mask = draw.whole(2, 5).astype(bool)
    mask[:, 0] = True
    return model, ({"entities": draw(5, 2), "entities_mask": mask}, draw.whole(3, 5))


def segmenter(draw, **options):
    image = kp.Image(4, 4, 1, stem="patches", patch_size=2)
    model = kp.build_segmenter(image, 2, **SIZES, **options)
    return model, (draw(4, 4, 1), draw.whole(2, 4, 4))


BUILDERS = {
    task.__name__: task
    for task in (
        classifier,
        perceiver_io,
        masked_language_model,
        multitask_classifier,
        optical_flow,
        autoencoder,
        entity_encoder,
        segmenter,
    )
}


class Draw:
    """Random arrays of `NUM_EXAMPLES` examples."""

    def __init__(self, seed=0):
        self.random = np.random.default_rng(seed)

    def __call__(self, *shape):
        return self.random.normal(size=(NUM_EXAMPLES, *shape)).astype("float32")

    def whole(self, below, *shape):
        return self.random.integers(below, size=(NUM_EXAMPLES, *shape)).astype("int32")


def batches(arrays, size=4, seed=1):
    """A new order each epoch, and a last batch that is smaller."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    return dataset.shuffle(NUM_EXAMPLES, seed=seed).batch(size)
