import numpy as np

from keras_perceiver.layers import LatentTransformer
from tests.layers import reference
from tests.random_values import normal, randomize, to_numpy

LATENTS = normal(2, 5, 14)


def built(**arguments):
    layer = LatentTransformer(num_heads=2, **arguments)
    layer.build(LATENTS.shape)
    return randomize(layer)


def test_equals_the_reference_layer_by_layer():
    layer = built(num_self_attends_per_block=3, num_blocks=2, widening_factor=2)
    weights = reference.weights_of(layer)
    expected = LATENTS
    for i in (0, 1, 2, 0, 1, 2):
        expected, _ = reference.self_attention(expected, weights, 2, f"self_attention_{i}/")
    np.testing.assert_allclose(to_numpy(layer(LATENTS)), expected, rtol=1e-5, atol=1e-5)


def test_blocks_share_their_weights():
    once, thrice = (built(num_self_attends_per_block=2, num_blocks=n) for n in (1, 3))
    # A self-attend: two norms, four projections and two dense layers, of two arrays each.
    assert len(once.weights) == len(thrice.weights) == 2 * 16
    assert once.count_params() == thrice.count_params()


def test_two_blocks_are_the_stack_run_twice():
    once, twice = (built(num_self_attends_per_block=2, num_blocks=n) for n in (1, 2))
    np.testing.assert_allclose(
        to_numpy(twice(LATENTS)), to_numpy(once(once(LATENTS))), rtol=1e-6, atol=1e-6
    )


def test_layers_of_a_stack_have_their_own_weights():
    layer = LatentTransformer(num_self_attends_per_block=3, num_heads=2)
    layer.build(LATENTS.shape)
    kernels = [to_numpy(one.attention.query_layer.kernel) for one in layer.self_attends]
    assert len({kernel.tobytes() for kernel in kernels}) == 3


def test_scores_come_in_the_order_the_layers_ran():
    layer = built(num_self_attends_per_block=2, num_blocks=2)
    latents, scores = to_numpy(layer(LATENTS, return_attention_scores=True))
    np.testing.assert_array_equal(latents, to_numpy(layer(LATENTS)))
    assert [one.shape for one in scores] == [(2, 2, 5, 5)] * 4
    expected = LATENTS
    for index, one in enumerate(scores):
        expected, wanted = layer.self_attends[index % 2](expected, return_attention_scores=True)
        np.testing.assert_allclose(one, to_numpy(wanted), atol=1e-6)
        np.testing.assert_allclose(one.sum(-1), 1, rtol=1e-6)


def test_a_masked_latent_is_read_by_no_other():
    layer = built(num_self_attends_per_block=2, num_blocks=2)
    present = np.array([[True, True, True, False, True], [True, False, True, True, True]])
    changed = LATENTS + 3 * ~present[..., None]
    before, after = to_numpy([layer(LATENTS, mask=present), layer(changed, mask=present)])
    np.testing.assert_allclose(before[present], after[present], atol=1e-5)
