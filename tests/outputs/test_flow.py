"""Flow at each pixel from features at each cell of a coarse grid."""

import keras
import numpy as np
import pytest

import keras_perceiver as kp
from tests.random_values import normal, randomize, to_numpy

SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
SMALL.update(num_self_attention_heads=2, jit_compile=False)


def model_of(height=9, width=14, flow=None, **options):
    """A model with random weights."""
    frames = kp.FramePair(height, width, stem="conv", stem_channels=4, num_bands=2, **options)
    flow = kp.Flow(upsampling_channels=5, hidden_channels=7) if flow is None else flow
    return randomize(kp.build_perceiver_io(frames, flow, **SMALL))


@pytest.fixture(scope="module")
def model():
    return model_of()


FRAMES = normal(3, 2, 9, 14, 3)


def test_each_pixel_has_a_flow(model):
    flow = model.output_descriptions["flow"]
    assert (flow.num_queries, flow.output_dim, flow.stride) == (3 * 4, 5, 4)
    assert flow.shape == (9, 14, 2) and model.output.shape == (None, 9, 14, 2)
    assert model(FRAMES).shape == (3, 9, 14, 2)


def test_what_sticks_out_is_cut_off(model):
    """Of a grid of 3 x 4 cells of 4 x 4 pixels, for 9 x 14 pixels."""
    flow = model.output_descriptions["flow"]
    rows = normal(2, 12, 5)
    whole = to_numpy(flow.upsampling_layer(rows.reshape(2, 3, 4, 5)))
    assert whole.shape == (2, 12, 16, 2)
    for found in (flow.arranged(keras.ops.convert_to_tensor(rows)), flow.arranged(rows, np)):
        np.testing.assert_allclose(to_numpy(found), whole[:, :9, :14], atol=1e-6)
    assert isinstance(flow.arranged(rows, np), np.ndarray)


@pytest.mark.parametrize("chunk_size", [1, 5, None])
def test_chunks_equal_all_at_once(model, chunk_size):
    latents = model.encode(FRAMES)
    found = model.decode(latents, inputs=FRAMES, chunk_size=chunk_size)
    wanted = to_numpy(model(FRAMES))
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


def test_single_queries_have_no_answer(model):
    message = "`indices` must be None for output 'flow', which combines all queries"
    with pytest.raises(ValueError, match=message):
        model.decode(model.encode(FRAMES), inputs=FRAMES, indices=[3])


def test_the_last_output_is_measured_in_cells_times_the_scale():
    flow = kp.Flow(upsampling_channels=5, hidden_channels=7, scale=0.5)
    model = model_of(16, 12, flow)
    layer = model.decoder.get_layer("flow_upsampling")
    layer.value_layer.kernel.assign(np.zeros(layer.value_layer.kernel.shape))
    layer.value_layer.bias.assign([3.0, -1.0])
    inside = to_numpy(model(normal(2, 2, 16, 12, 3)))[:, 4:-4, 4:-4]
    np.testing.assert_allclose(inside, np.broadcast_to([6.0, -2.0], inside.shape), rtol=1e-5)


@pytest.mark.parametrize("initialization", ["local", "papers"])
def test_flow_starts_at_zero_and_every_weight_learns(initialization):
    frames = kp.FramePair(9, 14, stem="conv", stem_channels=4)
    model = kp.build_perceiver_io(
        frames,
        kp.Flow(upsampling_channels=5, hidden_channels=7),
        initialization=initialization,
        optimizer=keras.optimizers.SGD(0.1),
        **SMALL,
    )
    assert np.abs(to_numpy(model(FRAMES))).max() == 0
    model.run_eagerly = True
    before = {w.path: to_numpy(w).copy() for w in model.trainable_weights}
    target = normal(3, 9, 14, 2)
    losses = [model.train_on_batch(FRAMES, target, return_dict=True)["loss"] for _ in range(2)]
    assert losses[1] < losses[0]
    still = [w.path for w in model.trainable_weights if (to_numpy(w) == before[w.path]).all()]
    assert [path for path in still if not path.endswith("key/bias")] == []


def test_costs_and_config(model):
    costs = kp.costs(model)
    assert costs.parameters == model.count_params()
    layer = model.decoder.get_layer("flow_upsampling")
    dense = 2 * 12 * 5 * (4 + 10)  # from queries of width 4 + 10 to 5 channels
    assert costs.flops_by_part["heads"] == dense + layer.cost((3, 4, 5)).flops
    config = model.get_config()
    copy = kp.Perceiver.from_config(config)
    assert copy.get_config() == config
    assert [(w.path, w.shape) for w in copy.weights] == [(w.path, w.shape) for w in model.weights]


def test_nothing_new_by_default():
    model = kp.build_perceiver_io(kp.FramePair(3, 5), kp.Flow(), **SMALL)
    names = [layer.name for layer in model.decoder.layers]
    assert "flow_head" in names and "flow_upsampling" not in names
    assert model.output_descriptions["flow"].answers_stand_alone
    head = model.decoder.get_layer("flow_head")
    assert (head.output_dim, head.scale) == (2, 0.2)
    assert np.abs(to_numpy(head.output_layer.kernel)).max() == 0


def test_a_fine_grid_can_be_smoothed():
    """With one pixel a cell, flow is a convex combination of that of the pixels around."""
    flow = kp.Flow(upsampling="convex", upsampling_channels=5, hidden_channels=7)
    model = randomize(kp.build_perceiver_io(kp.FramePair(3, 5, stem_channels=4), flow, **SMALL))
    assert model(normal(2, 2, 3, 5, 3)).shape == (2, 3, 5, 2)
    assert kp.costs(model).parameters == model.count_params()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kp.Flow(upsampling="bilinear"), "`upsampling` must be one of"),
        (lambda: kp.Flow(upsampling_channels=0), "`upsampling_channels` must be a whole number"),
        (lambda: kp.Flow(hidden_channels=2.5), "`hidden_channels` must be a whole number"),
        (
            lambda: kp.Perceiver((4, 5, 6), kp.Flow(upsampling="convex")),
            "`upsampling` must be None unless `input` is a FramePair.*of type Array",
        ),
        (lambda: model_of(16, 16, symmetric_padding=True), "`symmetric_padding` must be False"),
        (
            lambda: model_of(None, 16, max_resolution=4),
            "`height` and `width` of the frames must be known.*height=None, width=16",
        ),
        (
            lambda: kp.Perceiver(
                {"frames": kp.FramePair(8, 8, stem="conv"), "flow_upsampling": kp.Labels(2)},
                {"flow": kp.Flow("frames")},
            ),
            "must have different names",
        ),
    ],
)
def test_what_cannot_be_upsampled_is_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("open_sizes", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_saved_model(open_sizes, dtype, tmp_path):
    import tensorflow as tf

    frames = kp.FramePair(9, 14, stem="conv", stem_channels=4, normalize=True)
    flow = kp.Flow(upsampling_channels=5, hidden_channels=7)
    model = randomize(kp.build_perceiver_io(frames, flow, dtype=dtype, **SMALL))
    model.adapt(FRAMES)
    path = kp.export.saved_model(model, tmp_path / "flow", open_sizes=open_sizes)
    served = tf.saved_model.load(str(path))
    wanted = to_numpy(model(FRAMES))
    tolerance = (1e-5 if dtype == "float32" else 2e-2) * np.abs(wanted).max()
    found = served.signatures["serving_default"](frames=tf.constant(FRAMES))["flow"]
    np.testing.assert_allclose(found, wanted, atol=tolerance)
    latents = served.signatures["encode"](frames=tf.constant(FRAMES))["latents"]
    decode = served.signatures["decode"]
    found = decode(frames=tf.constant(FRAMES), latents=latents)["flow"]
    np.testing.assert_allclose(found, wanted, atol=tolerance)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_fine_tuning_trains_the_upsampling():
    model = kp.finetuning.enable_lora(model_of(), rank=2)
    trained = {weight.path for weight in model.trainable_weights}
    assert {w.path for w in model.decoder.get_layer("flow_upsampling").weights} <= trained
    quantized = kp.finetuning.quantize(model_of())
    latents = quantized.encode(FRAMES)
    wanted = to_numpy(quantized(FRAMES))
    found = quantized.decode(latents, inputs=FRAMES, chunk_size=5)
    np.testing.assert_allclose(found, wanted, atol=2e-2 * np.abs(wanted).max())
