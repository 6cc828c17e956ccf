"""Every input with every output it makes sense with: builds, fits one step, saves its config."""

import re

import keras
import numpy as np
import pytest

import keras_perceiver as kp

BATCH = 2
random = np.random.default_rng(0)


def normal(*shape):
    return random.normal(size=(BATCH, *shape)).astype("float32")


def whole(below, *shape):
    return random.integers(0, below, (BATCH, *shape))


INPUTS = {  # name: (description, raw values)
    "array": (kp.Array((5, 2)), {"x": normal(5, 2)}),
    "volume": (kp.Array((2, 3, 3, 1), num_bands=2), {"x": normal(2, 3, 3, 1)}),
    "table": (kp.Array((7, 1), positions="learned", position_dim=4), {"x": normal(7, 1)}),
    "columns": (
        kp.Table(5, (3, 4), dim=6),
        {
            "x": np.where(whole(3, 5) > 0, normal(5), np.nan).astype("float32"),
            "x_categories": np.array([[-1, 3], [2, -1]], "int32"),
        },
    ),
    "pixels": (kp.Image(4, 6), {"x": normal(4, 6, 3)}),
    "patches": (kp.Image(4, 6, stem="patches", patch_size=2), {"x": normal(4, 6, 3)}),
    "conv1x1": (
        kp.Image(4, 6, stem="conv1x1", positions="learned", project_positions=5),
        {"x": normal(4, 6, 3)},
    ),
    "conv": (kp.Image(16, 16, stem="conv", stem_channels=5), {"x": normal(16, 16, 3)}),
    "video": (kp.Video(2, 4, 4), {"x": normal(2, 4, 4, 3)}),
    "audio": (kp.Audio(20, 4), {"x": normal(20, 1)}),
    "mel": (kp.Audio(320, 80, stem="mel", mel_bins=5), {"x": normal(320, 1)}),
    "frames": (kp.FramePair(4, 5), {"x": normal(2, 4, 5, 3)}),
    "text": (kp.Text(5, dim=6), {"x": whole(262, 5).astype("int32")}),
    "points": (
        kp.Points(5, num_features=2, num_bands=3, masked=True),
        {"x": np.tanh(normal(5, 3)), "x_features": normal(5, 2), "x_mask": whole(2, 5) > 0},
    ),
    "entities": (kp.Entities(5, 3), {"x": normal(5, 3), "x_mask": whole(2, 5) > 0}),
    "labels": (kp.Labels(4), {"x": normal(4)}),
    "several": (
        {"x": kp.Image(4, 4), "y": kp.Audio(20, 4, may_be_missing=True), "z": kp.Text(5, dim=6)},
        {
            "x": normal(4, 4, 3),
            "y": normal(20, 1),
            "y_present": whole(2, 1) > 0,
            "z": whole(262, 5).astype("int32"),
        },
    ),
    "frames_conv": (
        kp.FramePair(9, 6, stem="conv", stem_channels=5),
        {"x": normal(2, 9, 6, 3)},
    ),
}
OUTPUTS = {  # name: (description, further inputs, target)
    "classes": (kp.Classes(3), {}, whole(3)),
    "multi_label": (kp.Classes(3, multi_label=True), {}, whole(2, 3).astype("float32")),
    "mean": (kp.Classes(3, head="mean"), {}, whole(3)),
    "values": (kp.Values(2), {}, normal(2)),
    "tokens": (kp.Tokens(length=4, vocab_size=7), {}, whole(7, 4)),
    "grid": (kp.Grid((2, 3), num_classes=4), {}, whole(4, 2, 3)),
    "sampled_grid": (
        kp.Grid((7,), channels=2, num_decoded=3),
        {"out_indices": whole(7, 3).astype("int32")},
        normal(3, 2),
    ),
    "at_points": (
        kp.AtPoints(2, channels=1, num_bands=3),
        {"out_points": np.tanh(normal(6, 2))},
        normal(6, 1),
    ),
}
OF_AN_INPUT = [  # (input, description, target): outputs that only some inputs make sense with
    ("array", kp.PerInput(num_classes=3), whole(3, 5)),
    ("pixels", kp.PerInput(channels=2), normal(4, 6, 2)),
    ("frames", kp.Flow(), normal(4, 5, 2)),
    ("frames", kp.Flow(upsampling="convex", hidden_channels=7), normal(4, 5, 2)),
    ("frames_conv", kp.Flow(hidden_channels=7), normal(9, 6, 2)),
    ("frames_conv", kp.PerInput(channels=2), normal(3, 2, 2)),
    ("text", kp.PerInput(num_classes=3), whole(3, 5)),
    ("text", kp.Tokens(tied_to="x"), whole(262, 5)),
    ("points", kp.PerInput(channels=2), normal(5, 2)),
    ("entities", kp.PerInput(channels=2), normal(5, 2)),
    ("array", kp.Reconstruction("x"), normal(5, 2)),
    ("patches", kp.Reconstruction("x"), normal(4, 6, 3)),
    ("conv", kp.Reconstruction("x"), normal(16, 16, 3)),
    ("video", kp.Reconstruction("x"), normal(2, 4, 4, 3)),
    ("audio", kp.Reconstruction("x"), normal(20, 1)),
    ("mel", kp.Reconstruction("x"), normal(320, 1)),
    ("columns", kp.PerInput(channels=2), normal(7, 2)),
    ("several", kp.PerInput("z", num_classes=3), whole(3, 5)),
    ("several", kp.Reconstruction("y"), normal(20, 1)),
]
# Every eighth pair before each commit, so that each kind is there; the others with the slow tests.
ROWS = [
    pytest.param(
        *INPUTS[i],
        *OUTPUTS[o],
        id=f"{i}-{o}",
        marks=[pytest.mark.slow] * ((row + column) % 8 > 0),
    )
    for row, i in enumerate(INPUTS)
    for column, o in enumerate(OUTPUTS)
] + [
    pytest.param(*INPUTS[i], description, {}, target, id=f"{i}-{type(description).__name__}")
    for i, description, target in OF_AN_INPUT
]
OF_THE_FIRST_SCORES = r"encoder_cross_attention/(query_norm|attention/(query|key))/"


@pytest.mark.parametrize("inputs, raw, output, further, target", ROWS)
def test_one_step(inputs, raw, output, further, target):
    model = kp.build_perceiver_io(
        inputs if isinstance(inputs, dict) else {"x": inputs},
        {"out": output},
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
        optimizer=keras.optimizers.SGD(0.1),
    )
    model.run_eagerly = True  # compiling two hundred models would take an hour
    model.jit_compile = False
    raw = {**raw, **further}
    before = weights_of(model)  # but for key biases: a softmax is blind to what all scores share
    for _ in range(2):  # a head that starts at zero hides everything before it from the first
        logs = model.train_on_batch(raw, {"out": target}, return_dict=True)
    assert np.isfinite(logs["loss"])
    still = {path for path, after in weights_of(model).items() if (after == before[path]).all()}
    if isinstance(inputs, kp.Labels):  # a single input: there is nothing to choose from
        still = {path for path in still if not re.search(OF_THE_FIRST_SCORES, path)}
    assert not {path for path in still if not path.endswith("key/bias")}
    copy = kp.Perceiver.from_config(model.get_config())
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]
    assert copy.get_config() == model.get_config()


def weights_of(model):
    return {w.path: keras.ops.convert_to_numpy(w) for w in model.trainable_weights}
