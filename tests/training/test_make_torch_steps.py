"""The recorded steps are those of PyTorch, where it is installed: `make test-transformers`."""

import numpy as np
import pytest

from tests.training.torch_steps import CASES, recorded

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("family, name", CASES)
def test_the_file_is_what_pytorch_computes(family, name):
    from tests.training.make_torch_steps import train

    losses, arrays = train(family, name)
    expected, values = recorded(family, name)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert set(arrays) == set(values)
    for path, array in arrays.items():
        if not path.endswith("key.bias"):
            np.testing.assert_allclose(array, values[path], rtol=0, atol=1e-5, err_msg=path)
