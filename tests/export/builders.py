"""A small model of every builder, of odd and prime sizes, and requests far from zero."""

import numpy as np

import keras_perceiver as kp
from keras_perceiver.export.request_limits import request_checks
from keras_perceiver.export.sample_requests import sample_request
from tests.export.small import SIZES

OFFSET = 100  # in common to all numbers of a request, beside a spread of one

BUILDERS = {
    "classifier": lambda **o: kp.build_classifier((4, 6, 3), 5, **o),
    "classifier of pictures": lambda **o: kp.build_classifier((7, 13, 3), 5, **o),
    "perceiver": lambda **o: kp.build_classifier(
        kp.Image(7, 5), 5, **{**o, "num_cross_attends": 2, "head": "mean"}
    ),
    "video": lambda **o: kp.build_classifier(kp.Video(3, 5, 7, stem="pixels"), 5, **o),
    "audio": lambda **o: kp.build_classifier(kp.Audio(52, samples_per_patch=4), 5, **o),
    "points": lambda **o: kp.build_classifier(kp.Points(11), 5, **o),
    "text": lambda **o: kp.build_classifier(kp.Text(11, dim=8), 5, **o),
    "series": lambda **o: kp.build_classifier((17, 3), 5, **o),
    "table": lambda **o: kp.build_classifier(kp.Table(7, (2, 3), dim=8), 5, **o),
    "segmenter": lambda **o: kp.build_segmenter((5, 7, 3), 2, **o),
    "language": lambda **o: kp.build_masked_language_model(7, dim=8, **o),
    "multitask": lambda **o: kp.build_multitask_classifier((5, 2), {"a": 2, "b": 3}, **o),
    "flow": lambda **o: kp.build_optical_flow(5, 7, stem_channels=5, **o),
    "flow upsampled": lambda **o: kp.build_optical_flow(9, 6, stem_channels=5, stem="conv", **o),
    "autoencoder": lambda **o: kp.build_autoencoder(
        {
            "video": kp.Video(2, 4, 8, patch_size=(2, 2, 4)),
            "audio": kp.Audio(28, 4),
            "label": kp.Labels(3),
        },
        **o,
    ),
    "entities": lambda **o: kp.build_entity_encoder(5, 4, 6, pooled_channels=3, **o),
    "several": lambda **o: kp.build_perceiver_io(
        {"image": kp.Image(8, 4, stem="conv", masked=True), "text": kp.Text(5, dim=6)},
        {"field": kp.AtPoints(2, channels=1, num_bands=3), "each": kp.PerInput("text", 2)},
        **o,
    ),
}
# Whose encoder can be separable: inputs on a grid with Fourier positions.
SEPARABLE = (
    "classifier",
    "classifier of pictures",
    "perceiver",
    "video",
    "audio",
    "series",
    "segmenter",
    "multitask",
    "flow",
    "flow upsampled",
    "autoencoder",
    "several",
)


def make(name, **options):
    return BUILDERS[name](**{**SIZES, "num_self_attends_per_block": 1, **options})


def far_request(model, batch, seed=0):
    """{name: array}: numbers around 100, coordinates around 0, half of the optional inputs."""
    specs = {tensor.name: tensor for tensor in model.inputs}
    checks = request_checks(specs, model, max_batch=batch, max_growth=1)
    request = sample_request(checks, model.input_descriptions, batch=batch)
    random = np.random.default_rng(seed)
    for name, array in request.items():
        if array.dtype == "float32" and "points" not in name:
            request[name] = array + (OFFSET + random.normal(size=array.shape)).astype("float32")
        elif array.dtype == bool and array.ndim > 1:
            request[name] = random.random(array.shape) < 0.7
    return request
