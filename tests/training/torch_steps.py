"""The same 20 steps of training in PyTorch and here: models, batches and settings of both.

`make_torch_steps.py` stores the losses and the weights afterwards in `torch_steps.npz`. Start
weights and batches can be drawn again by anyone.
"""

import json
from pathlib import Path

import numpy as np

from tests.checkpoints.small_models import SmallModel

FILE = Path(__file__).parent / "torch_steps.npz"
STEPS = 20

# PyTorch adds epsilon to sqrt(v / (1 - beta_2^t)), Keras' AdamW to sqrt(v). It is so small here
# that the place does not matter. LAMB has it in the same place, as in the paper.
SETTINGS = {
    "adamw": {"weight_decay": 0.1, "epsilon": 1e-12},
    "lamb": {"weight_decay": 0.1, "epsilon": 1e-6, "global_clipnorm": 1.0},
}
# With larger steps, training on images is chaotic: it multiplies rounding errors by ten each step.
LEARNING_RATES = {
    ("language", "adamw"): 1e-3,
    ("language", "lamb"): 1e-2,
    ("learned", "adamw"): 2e-4,
    ("learned", "lamb"): 2e-3,
}
CASES = list(LEARNING_RATES)


def config(family):
    """The text of config.json: that of the small model, without dropout."""
    return json.dumps({**json.loads(SmallModel(family).config), "attention_probs_dropout_prob": 0})


def batches(family):
    """`STEPS` batches `(inputs, targets, weights)`; weights are None for images.

    Batches have 5 examples. Texts are 11 tokens long, shorter ones are padded with zeros, and
    about a third of the tokens count; images have 6 x 6 pixels.
    """
    random = np.random.default_rng(17)
    for _ in range(STEPS):
        if family == "language":
            length = random.integers(2, 12, (5, 1))
            mask = np.arange(11) < length
            ids = np.where(mask, random.integers(6, 262, (5, 11)), 0)
            targets = np.where(mask, (ids + 1) % 262, 0)
            counts = mask & (random.random((5, 11)) < 0.3)
            counts[:, 0] = True
            inputs = {"text": ids.astype("int32"), "text_mask": mask}
            yield inputs, targets.astype("int32"), counts.astype("float32")
        else:
            labels = random.integers(7, size=5)
            images = random.normal(size=(5, 6, 6, 3)) + 0.3 * labels[:, None, None, None]
            yield images.astype("float32"), labels.astype("int32"), None


def some(array):
    """At most a thousand numbers of an array, evenly spread, so that the file stays small."""
    return array.ravel()[:: 1 + array.size // 1000]


def recorded(family, optimizer):
    """Losses `(STEPS,)` and `some` of each array after these steps, by their names in PyTorch."""
    start = f"{family}/{optimizer}/"
    with np.load(FILE) as arrays:
        found = {key[len(start) :]: arrays[key] for key in arrays if key.startswith(start)}
    return found.pop("losses"), found
