"""One row for each layer and each builder. A new row is put through every test of the suite."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import keras
import numpy as np

import keras_perceiver as kp
from keras_perceiver import layers
from tests.random_values import randomize, to_numpy

BATCH = 3


def array(*shape, dtype="float32"):
    return keras.KerasTensor((None, *shape), dtype)


@dataclass(frozen=True, eq=False)
class Row:
    """What to make, and what holds for it besides what holds for everything.

    Args:
        name: Of the row, in the names of the tests.
        make: Makes the layer or the compiled model, in a given dtype.
        inputs: A layer's call arguments; the inputs of builders' models are known from the model.
        order_free: An argument or input whose vectors may be permuted without effect.
        order_kept: One whose vectors when permuted permute the outputs in the same way.
        mask: One whose vectors can be hidden, by `<name>_mask` (`mask` for `inputs`).
        reads_inputs: Whether the outputs depend on the values of the inputs.
        has_weights: Whether there is something to train.
        below: Whole numbers among the inputs are drawn below this.
        missing: Share of the numbers and ids among the inputs that are missing: NaN, or -1.
        slow: Whether it is put to the test by `make test-slow` only.
    """

    name: str
    make: Callable
    inputs: dict | None = None
    order_free: str | None = None
    order_kept: str | None = None
    mask: str | None = None
    reads_inputs: bool = True
    has_weights: bool = True
    below: int = 5
    missing: float = 0.0
    slow: bool = False

    @property
    def is_layer(self):
        return self.inputs is not None

    def as_model(self, made, known_lengths=True):
        """A builder's model itself, or a layer as a model from its flattened call arguments."""
        if not self.is_layer:
            return made
        arguments = keras.tree.map_structure(
            lambda spec: keras.Input(
                spec.shape[1:] if known_lengths else (None, *spec.shape[2:]), dtype=spec.dtype
            ),
            self.inputs,
        )
        return keras.Model(keras.tree.flatten(arguments), made(**arguments))

    @cached_property
    def model(self):
        """The model with random weights. Tests share it, so none may change it."""
        return randomize(self.as_model(self.make()))

    @cached_property
    def outputs(self):
        return to_numpy(self.model(self.feed(self.data())))

    def data(self, seed=0):
        """Random arrays by name of the call argument or the model's input."""
        rng = np.random.default_rng(seed)

        def draw(spec):
            shape = (BATCH, *(4 if size is None else size for size in spec.shape[1:]))
            dtype = keras.backend.standardize_dtype(spec.dtype)
            if dtype == "bool":
                return np.ones(shape, dtype)
            missing = rng.random(shape) < self.missing if self.missing else False
            if "int" in dtype:
                return np.where(missing, -1, rng.integers(self.below, size=shape)).astype(dtype)
            return np.where(missing, np.nan, rng.normal(size=shape)).astype(dtype)

        specs = self.inputs or {tensor.name: tensor for tensor in self.model.inputs}
        return keras.tree.map_structure(draw, specs)

    def feed(self, data):
        """`data` as the model takes it."""
        if self.is_layer:
            return keras.tree.flatten(data)
        return data if isinstance(self.model.input, dict) else next(iter(data.values()))

    def call_with_mask(self, data, mask):
        """The outputs where a mask `(batch, length)` hides vectors of the array named `mask`."""
        if not self.is_layer:
            return to_numpy(self.model(self.feed({**data, f"{self.mask}_mask": mask})))
        layer = self.model.layers[-1]
        return to_numpy(
            layer(**data, **{"mask" if self.mask == "inputs" else f"{self.mask}_mask": mask})
        )


HEADS = {"num_heads": 2, "qk_channels": 6, "v_channels": 10}
QUERY_VALUE = {"query": array(5, 14), "value": array(3, 11)}
READER = {"inputs": QUERY_VALUE, "order_free": "value", "order_kept": "query", "mask": "value"}
MIXER = {"inputs": {"inputs": array(5, 14)}, "order_kept": "inputs", "mask": "inputs"}
EACH_ALONE = {"inputs": {"inputs": array(5, 7)}, "order_kept": "inputs"}
GRID = {"inputs": array(5, 7, 2)}
PARTS = {"audio": array(3, 5), "image": array(7, 2)}
JOINED = {"inputs": array(10, 5), "parts": PARTS}
COORDINATES = {"max_resolution": 4, "source": "coordinates"}
FIXED = {"has_weights": False}
CONSTANT = {"reads_inputs": False}

FOURIER = layers.FourierEncoding(2, (3, 5))
OF_IMAGE = {"image": FOURIER}
VALUE_OF_PARTS = {"query": array(5, 14), "value": {"image": {"features": array(3, 5, 7)}}}
OF_PARTS = {"inputs": VALUE_OF_PARTS, "order_kept": "query"}
OF_GRID = {"inputs": {"query": array(3, 5, 7), "value": array(3, 11)}, "order_free": "value"}

LAYER_ROWS = [
    Row("attention", partial(layers.Attention, **HEADS), **READER),
    Row("cross_attention", partial(layers.CrossAttention, **HEADS), **READER),
    Row("output_query_decoder", partial(layers.OutputQueryDecoder, 13), **READER),
    Row("separable_cross_attention", partial(layers.SeparableCrossAttention, OF_IMAGE), **OF_PARTS),
    Row("separable_query_attention", partial(layers.SeparableQueryAttention, FOURIER), **OF_GRID),
    Row("self_attention", partial(layers.SelfAttention, num_heads=2), **MIXER),
    Row("latent_transformer", partial(layers.LatentTransformer, 1, 2, num_heads=2), **MIXER),
    Row("feed_forward", partial(layers.FeedForward, 3), **EACH_ALONE),
    Row("fourier_grid", partial(layers.FourierEncoding, 3, (11, 13)), GRID, **FIXED, **CONSTANT),
    Row("fourier_points", partial(layers.FourierEncoding, 3, **COORDINATES), **EACH_ALONE, **FIXED),
    Row("learned_array", partial(layers.LearnedArray, 5, 7), GRID, **CONSTANT),
    Row("common_width", layers.CommonWidth, {"inputs": PARTS}),
    Row("mask_tokens", partial(layers.CommonWidth, mask_probs={"audio": 1.0}), {"inputs": PARTS}),
    Row(
        "convex_upsampling",
        partial(layers.ConvexUpsampling, 2, stride=3, hidden_channels=5),
        {"inputs": array(5, 7, 11)},
    ),
    Row("split_lengths", layers.SplitLengths, JOINED, **FIXED),
]

SET = kp.Array((5, 3), positions="none")
THREE_TIMES = {"head": "mean", "num_cross_attends": 3}
SIZES = {
    "num_latents": 5,
    "latent_dim": 6,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
}
CLIP = {"video": kp.Video(2, 4, 4), "audio": kp.Audio(12, 4), "label": kp.Labels(7)}
TASKS = {"topic": kp.Classes(3), "stars": kp.Values(2)}
QUERIES = {
    "grid": kp.Grid((5, 3), channels=2, num_decoded=4),
    "points": kp.AtPoints(2, channels=3),
    "each": kp.PerInput("set", channels=2),
    "mean": kp.MeanOverInputs("set", channels=4),
}


def of(builder, *args, **options):
    return partial(builder, *args, **{**SIZES, **options})


def slow(name, builder, *args, **options):
    return Row(name, of(builder, *args, **options), slow=True)


CONV = {"stem": "conv", "stem_channels": 4}
UPSAMPLED = kp.Flow(upsampling_channels=5, hidden_channels=7)
TABLE = kp.Table(7, (5, 11), dim=6, mean=0.3, std=1.7)
MASKED_TABLE = kp.Table(7, dim=6, masked=True)


classifier = partial(of, kp.build_classifier, num_classes=7)

BUILDER_ROWS = [
    Row("classifier_of_sets", classifier(SET), order_free="array"),
    Row("classifier_of_images_mean_head", classifier((5, 3, 2), **THREE_TIMES)),
    Row("classifier_separable", classifier((5, 3, 2), attention="separable"), slow=True),
    Row("classifier_chunked", classifier((5, 3, 2), attention="chunked")),
    Row("classifier_of_tables", classifier(TABLE), missing=0.3),
    Row(
        "classifier_of_masked_tables",
        classifier(MASKED_TABLE),
        mask="table",
        missing=0.3,
        slow=True,
    ),
    Row("classifier_of_videos_multi_label", classifier((2, 3, 5, 1), multi_label=True), slow=True),
    Row(
        "segmenter_separable",
        of(kp.build_segmenter, (5, 3, 2), num_classes=7, attention="separable"),
    ),
    slow("classifier_with_stem", kp.build_classifier, kp.Image(16, 16, stem="conv"), 7),
    slow(
        "classifier_of_patches",
        kp.build_classifier,
        kp.Image(4, 6, stem="patches", patch_size=2),
        7,
    ),
    slow("classifier_of_sounds", kp.build_classifier, kp.Audio(320, 80, stem="mel", mel_bins=5), 7),
    slow("classifier_of_series", kp.build_classifier, kp.Series(8, 3), 7),
    slow("language_model", kp.build_masked_language_model, 5, dim=8, masked=True),
    slow("autoencoder", kp.build_autoencoder, CLIP),
    slow("flow", kp.build_optical_flow, 5, 7, stem_channels=4),
    slow("flow_upsampled", kp.build_perceiver_io, kp.FramePair(9, 13, **CONV), UPSAMPLED),
    slow("entities", kp.build_entity_encoder, 5, 3, channels=4, pooled_channels=3),
    slow("multitask", kp.build_multitask_classifier, kp.Text(5, dim=8), TASKS, hidden_dim=5),
    slow("queries", kp.build_perceiver_io, {"set": kp.Points(5, 2, masked=True)}, QUERIES),
]
ROWS = LAYER_ROWS + BUILDER_ROWS
