"""Makes torch_steps.npz: 20 steps of training of small models of transformers, in PyTorch.

pip install torch==2.13.0 transformers==5.23.0
python tests/training/make_torch_steps.py
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.checkpoints.make_models import CONFIGS
from tests.checkpoints.small_models import SmallModel
from tests.training.torch_steps import CASES, FILE, LEARNING_RATES, SETTINGS, batches, config, some


class Lamb(torch.optim.Optimizer):
    """LAMB as in the training code of Perceiver IO, written down line by line."""

    def __init__(self, groups, learning_rate, epsilon, clip):
        super().__init__(groups, {})
        self.learning_rate, self.epsilon, self.clip, self.time = learning_rate, epsilon, clip, 0

    @torch.no_grad()
    def step(self):
        parameters = [p for group in self.param_groups for p in group["params"]]
        size = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
        shrink = min(1.0, self.clip / float(size))
        self.time += 1
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                m, v = state.get("m", torch.zeros_like(p)), state.get("v", torch.zeros_like(p))
                g = p.grad * shrink
                state["m"] = m = 0.9 * m + 0.1 * g
                state["v"] = v = 0.999 * v + 0.001 * g * g
                m = m / (1 - 0.9**self.time)
                v = v / (1 - 0.999**self.time)
                u = m / (v.sqrt() + self.epsilon) + group["weight_decay"] * p
                sizes = p.norm(), u.norm()
                ratio = sizes[0] / sizes[1] if sizes[0] > 0 and sizes[1] > 0 else 1.0
                p -= self.learning_rate * ratio * u


def start(family):
    architecture, _ = CONFIGS[family]
    with tempfile.TemporaryDirectory() as folder:
        SmallModel(family).save(Path(folder))
        (Path(folder) / "config.json").write_text(config(family))
        return getattr(transformers, architecture).from_pretrained(folder).double()


def make_optimizer(family, name, model):
    decayed, others = [], []
    for path, parameter in model.named_parameters():
        excluded = path.endswith(".bias") or "layernorm" in path or "layer_norm" in path
        (others if excluded else decayed).append(parameter)
    settings, rate = SETTINGS[name], LEARNING_RATES[family, name]
    groups = [
        {"params": decayed, "weight_decay": settings["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    if name == "lamb":
        return Lamb(groups, rate, settings["epsilon"], settings["global_clipnorm"])
    return torch.optim.AdamW(groups, lr=rate, eps=settings["epsilon"])


def loss_of(family, model, inputs, targets, weights):
    targets = torch.tensor(targets).long()
    if family == "language":
        ids, mask = torch.tensor(inputs["text"]).long(), torch.tensor(inputs["text_mask"]).int()
        labels = torch.where(torch.tensor(weights) > 0, targets, -100)
        return model(input_ids=ids, attention_mask=mask, labels=labels).loss
    images = torch.tensor(inputs).double().movedim(-1, 1)
    return model(inputs=images, labels=targets).loss


def train(family, name):
    """Losses, and some of each array afterwards, by name."""
    model = start(family)
    optimizer = make_optimizer(family, name, model)
    losses = []
    for batch in batches(family):
        optimizer.zero_grad()
        loss = loss_of(family, model, *batch)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    arrays = {path: value.detach().float().numpy() for path, value in model.named_parameters()}
    return np.array(losses), {path: some(array) for path, array in arrays.items()}


def main():
    found = {}
    for family, name in CASES:
        losses, arrays = train(family, name)
        print(family, name, np.round(losses, 3))
        found |= {f"{family}/{name}/{path}": array for path, array in arrays.items()}
        found[f"{family}/{name}/losses"] = losses
    np.savez_compressed(FILE, **found)


if __name__ == "__main__":
    main()
