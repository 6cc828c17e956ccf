"""What outputs ask, how they read the answer, and what they say to bad descriptions."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_perceiver as kp

SMALL = {"num_latents": 3, "latent_dim": 8, "num_self_attends_per_block": 1}
LATER = (pytest.mark.slow, pytest.mark.everywhere)
TINY = {**SMALL, "num_self_attention_heads": 2}


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_grid_queries_are_fourier_features_of_the_cells():
    queries = kp.Grid((3, 5), channels=2, num_bands=7).make_query_layer("float32")
    made = ops.convert_to_numpy(queries(normal(2, 3, 8)))
    wanted = ops.convert_to_numpy(kp.FourierEncoding(7)(normal(2, 3, 5, 1)))
    np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_the_output_query_of_a_cell_decides_its_value_alone():
    """Decoding fewer queries leaves the others' answers as they are: checked by index."""
    model = kp.Perceiver((6, 1), kp.Grid((7,), channels=2), **SMALL)
    latents = normal(2, 3, 8)
    whole = model.decode(latents)
    np.testing.assert_allclose(model.decode(latents, indices=[4])[:, 0], whole[:, 4], atol=1e-6)


def test_reconstruction_has_the_shape_of_its_input():
    inputs = {"video": kp.Video(2, 4, 8), "audio": kp.Audio(24, 4, channels=2)}
    outputs = {key: kp.Reconstruction(key) for key in inputs}
    model = kp.Perceiver(inputs, outputs, **SMALL)
    answer = model({"video": normal(2, 2, 4, 8, 3), "audio": normal(2, 24, 2)})
    assert tuple(answer["video"].shape) == (2, 2, 4, 8, 3)
    assert tuple(answer["audio"].shape) == (2, 24, 2)


def test_masked_inputs_are_not_queried():
    """The attention of a masked query is zero: what the latents are does not reach it."""
    model = kp.Perceiver(kp.Entities(4, 3), kp.PerInput(channels=2), **SMALL)
    mask = np.array([[True, True, False, False]])
    one = {"entities": normal(1, 4, 3), "entities_mask": mask}
    other = {**one, "entities": np.concatenate([-5 * one["entities"][:, :2],
                                                one["entities"][:, 2:]], 1)}  # fmt: skip
    a, b = (ops.convert_to_numpy(model(x))[0] for x in (one, other))
    np.testing.assert_allclose(a[2:], b[2:], atol=1e-6)
    assert np.abs(a[:2] - b[:2]).max() > 1e-4


def test_tied_tokens_use_the_embedding():
    model = kp.build_masked_language_model(5, 11, dim=6, pad_id=None, **TINY)
    table = model.get_layer("encoder").get_layer("text_inputs").table
    head = model.get_layer("decoder").get_layer("tokens_head")
    assert [w.shape for w in head.weights] == [(11,)]
    ids = np.array([[1, 2, 3, 4, 5]], "int32")
    before = ops.convert_to_numpy(model(ids))
    changed = ops.convert_to_numpy(table).copy()
    changed[10] = 0  # a token that is not in the text
    table.assign(changed)
    after = ops.convert_to_numpy(model(ids))
    np.testing.assert_allclose(after[..., :10], before[..., :10], atol=1e-5)
    np.testing.assert_allclose(after[..., 10], 0, atol=1e-6)


def test_end_point_error():
    loss = kp.EndPointError()
    flow = np.zeros((1, 2, 2, 2), "float32")
    target = np.array([[[[3, 4], [0, 0]], [[6, 8], [0, 0]]]], "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(loss(target, flow)), 15 / 4, atol=1e-5)


def test_default_losses_and_metrics():
    assert isinstance(kp.Classes(3).default_loss(), keras.losses.SparseCategoricalCrossentropy)
    assert isinstance(
        kp.Classes(3, multi_label=True).default_loss(), keras.losses.BinaryCrossentropy
    )
    assert isinstance(kp.Values(3).default_loss(), keras.losses.MeanSquaredError)
    assert isinstance(kp.Flow().default_loss(), kp.EndPointError)
    assert kp.Values(3, loss="mae").default_loss() is keras.losses.get("mae")


def test_multitask_has_one_query_and_one_head_of_two_layers_for_each_task():
    model = kp.build_multitask_classifier((6, 1), {"a": 2, "b": 3, "c": kp.Values(1)}, **TINY)
    decoder = model.get_layer("decoder")
    assert decoder.get_layer("a_query").table.shape == (1, 8)
    assert decoder.get_layer("a_head").hidden_layer.units == 8
    assert decoder.get_layer("b_head").output_layer.units == 3
    answer = model(normal(2, 6, 1))
    assert {k: tuple(v.shape) for k, v in answer.items()} == {"a": (2, 2), "b": (2, 3), "c": (2, 1)}


INPUTS = {"image": (4, 4, 1), "set": kp.Entities(4, 3), "text": kp.Text(5, dim=6)}


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kp.Grid((4, 4)), "Either `channels` .* or `num_classes`"),
        (lambda: kp.Grid((4, 4), channels=1, num_classes=2), "Either `channels`"),
        (lambda: kp.Grid((4, 0), channels=1), "`grid` must be"),
        (lambda: kp.Grid((4, 4), channels=0), "`channels` must be a whole number"),
        (lambda: kp.Grid((4, 4), channels=1, num_decoded=0), "`num_decoded` must be"),
        (lambda: kp.AtPoints(0, channels=1), "`num_axes` must be"),
        (lambda: kp.Classes(0), "`num_classes` must be"),
        (lambda: kp.Classes(2, head="max"), "`head` must be one of"),
        (lambda: kp.Values(0), "`num_values` must be"),
        (lambda: kp.Tokens(), "Either `tied_to`"),
        (lambda: kp.PerInput(channels=1, scale=float("nan")), "`scale` must be a finite number"),
        (lambda: kp.Values(1, loss="mean_lol"), "mean_lol"),
        (lambda: kp.Perceiver(INPUTS, kp.Reconstruction("vidoe")), "must be one of"),
        (lambda: kp.Perceiver(INPUTS, kp.Reconstruction("set")), "on a grid"),
        (lambda: kp.Perceiver(INPUTS, kp.PerInput("sets", channels=1)), "must be one of"),
        (lambda: kp.Perceiver(INPUTS, kp.PerInput(channels=1)), "must be one of"),
        (lambda: kp.Perceiver(INPUTS, kp.Tokens(tied_to="set")), r"one of \['text'\]"),
        (
            lambda: kp.Perceiver(INPUTS, kp.Tokens(tied_to="text", query_dim=7)),
            "`query_dim` must equal",
        ),
        (lambda: kp.Perceiver(INPUTS, {}), "`outputs` must be"),
        (lambda: kp.Perceiver(INPUTS, 10), "`outputs` must be"),
        (lambda: kp.Perceiver(INPUTS, {"a": 10}), "`outputs.*` must be an output description"),
        (lambda: kp.build_multitask_classifier((4, 1), {}), "`tasks` must be a dict"),
        (lambda: kp.build_segmenter(INPUTS, 2), "`grid` must be given"),
        (lambda: kp.build_autoencoder({"set": kp.Entities(4, 3)}), "to be reconstructed"),
    ],
)
def test_bad_descriptions(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "grid, patch_size",
    [
        ((13,), 4),
        ((9, 7), (4, 3)),
        ((3, 4, 5), 2),
        *(pytest.param(*case, marks=LATER) for case in (((12,), 4), ((8, 6), 2), ((1, 5), (2, 2)))),
    ],
)
def test_one_query_answers_a_patch(grid, patch_size):
    """Each cell of the output is the value of its patch's query for its place in the patch."""
    output = kp.Grid(grid, channels=2, patch_size=patch_size)
    model = kp.Perceiver((6, 1), output, **SMALL)
    bound = model.output_descriptions["grid"]
    patch = bound.patch_size
    queries = tuple(-(-size // step) for size, step in zip(grid, patch))
    assert bound.num_queries == np.prod(queries) and model.output.shape[1:] == (*grid, 2)
    rows = normal(3, bound.num_queries, np.prod(patch) * 2)
    found = ops.convert_to_numpy(bound.arranged(ops.convert_to_tensor(rows)))
    rows = rows.reshape(3, *queries, *patch, 2)
    for cell in np.ndindex(grid):
        of = tuple(index // step for index, step in zip(cell, patch))
        within = tuple(index % step for index, step in zip(cell, patch))
        np.testing.assert_array_equal(
            found[(slice(None), *cell)], rows[(slice(None), *of, *within)]
        )
    latents = normal(2, 3, 8)
    whole = model.decode(latents)
    assert whole.shape == (2, *grid, 2)
    np.testing.assert_allclose(model.decode(latents, chunk_size=2), whole, atol=1e-6)
    costs = kp.costs(model)
    assert costs.parameters == model.count_params()


def test_a_segmenter_asks_once_for_each_cell_of_the_stem():
    model = kp.build_segmenter((33, 18, 1), 4, **SMALL)
    assert model.chosen["patch_size"][0] == (4, 4)
    assert model.output.shape == (None, 33, 18, 4)
    assert model.output_descriptions["grid"].num_queries == 9 * 5
    for options in ({"patch_size": 1}, {"initialization": "papers"}, {"num_decoded": 7}):
        model = kp.build_segmenter((33, 18, 1), 4, **options, **SMALL)
        assert "patch_size" not in model.chosen
        assert model.output_descriptions["grid"].num_queries == 33 * 18
    with pytest.raises(ValueError, match="`num_decoded` must be None with patches"):
        kp.build_segmenter((33, 18, 1), 4, num_decoded=7, patch_size=2, **SMALL)
    with pytest.raises(ValueError, match="`patch_size` must"):
        kp.build_segmenter((33, 18, 1), 4, patch_size=(2, 2, 2), **SMALL)
