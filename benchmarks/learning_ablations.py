"""What each choice of the builders does for learning: one thing changed at a time.

    python benchmarks/learning_ablations.py                        # all: hours on two cores
    python benchmarks/learning_ablations.py --tasks bars --seeds 1 --only none "32 latents"

Counts steps, not seconds, so that it can run beside other work. Prints a row for each change: the
score of `benchmarks/learning_tasks.py` after a quarter, a half and all of the steps, with the
averaged weights of the optimizer where it has them, means over the seeds.
"""

import argparse
import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import keras_perceiver as kp
from benchmarks import learning_tasks
from keras_perceiver.layers import local_kernels
from keras_perceiver.models import local_start

CONSTANTS = {"PLACE_SHARE": local_start, "LEAK": local_start, "LEAST_BOX": local_start}
CONSTANTS |= {"CONTENT_SHARE": local_kernels, "LARGEST_FALL": local_kernels}

SMALLER = {"num_latents": 8, "latent_dim": 32}
LARGER = {"num_latents": 32, "latent_dim": 128, "num_self_attends_per_block": 2}
SERIES = {  # "input": arguments of the input description
    "8 latents of width 32": SMALLER,
    "32 latents of width 128, 2 layers": LARGER,
    "single steps": {"input": {"stem": "steps"}},
    "cells of 16 steps": {"input": {"patch_size": 16}},
    "weight decay 1": {"optimizer": {"weight_decay": 1.0}},
    "dropout 0.2": {"dropout": 0.2},
    "mean of latents in place of a query": {"head": "mean"},
}
TABLES = {
    "8 latents of width 32": SMALLER,
    "no noise": {"input": {"noise": 0.0}},
    "noise 0.45": {"input": {"noise": 0.45}},
    "noise 0.6": {"input": {"noise": 0.6}},
    "noise 1": {"input": {"noise": 1.0}},
    "noise 0.6, values hidden at 0.3": {"input": {"noise": 0.6, "hidden_rate": 0.3}},
    "weight decay 0.01": {"optimizer": {"weight_decay": 0.01}},
    "noise 0.6, weight decay 0.01": {
        "input": {"noise": 0.6},
        "optimizer": {"weight_decay": 0.01},
    },
}
COMMON = {
    "none": {},
    "the papers' initial values and sizes": {"initialization": "papers"},
    "no average of weights": {"optimizer": {"use_ema": False}},
    "no warm-up": {"optimizer": {"warmup_steps": 0}},
    "rate 2e-3": {"optimizer": {"learning_rate": 2e-3}},
    "rate 3e-3": {"optimizer": {"learning_rate": 3e-3}},
    "weight decay 0.1": {"optimizer": {"weight_decay": 0.1}},
    "dropout 0.1": {"dropout": 0.1},
    "1 layer": {"num_self_attends_per_block": 1},
    "4 layers": {"num_self_attends_per_block": 4},
    "an eighth of the channels hold the place": {"PLACE_SHARE": 0.125},
    "half of the channels hold the place": {"PLACE_SHARE": 0.5},
    "places leak": {"LEAK": 1.0},
    "half of the variance from content": {"CONTENT_SHARE": 0.5},
    "boxes of 5 cells at least": {"LEAST_BOX": 5.0},
    "no least box": {"LEAST_BOX": 1.0},
}
TASKS = {
    # task: (function, steps, further changes)
    "bars": (
        learning_tasks.bars,
        1000,
        {
            "32 latents": {"num_latents": 32},
            "128 latents": {"num_latents": 128},
            "width 64": {"latent_dim": 64},
            "1 head": {"num_cross_attention_heads": 1},
            "4 heads": {"num_cross_attention_heads": 4, "qk_channels": 128},
        },
    ),
    "bytes": (
        learning_tasks.masked_bytes,
        1000,
        {
            "64 latents": {"num_latents": 64},
            "width 192": {"latent_dim": 192},
            "1 head of the decoder": {"num_decoder_heads": 1},
        },
    ),
    "shapes": (learning_tasks.shapes, 600, {"32 latents": {"num_latents": 32}}),
    "digits": (learning_tasks.digits, 600, {"64 latents": {"num_latents": 64}}),
    "gunpoint": (learning_tasks.gunpoint, 1200, SERIES),
    "arrowhead": (learning_tasks.arrowhead, 1200, SERIES),
    "breast cancer": (learning_tasks.breast_cancer, 1600, TABLES),
    "diabetes": (learning_tasks.diabetes, 1600, TABLES),
    "friedman": (learning_tasks.friedman, 900, TABLES),
}


class Marks(keras.callbacks.Callback):
    """Scores the model after some steps, with averaged weights if there are any, and ends there."""

    def __init__(self, marks, score):
        super().__init__()
        self.marks, self.score, self.steps, self.scores = marks, score, 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps in self.marks:
            with _averaged(self.model):
                self.scores.append(self.score(self.model))
        if self.steps == max(self.marks):
            self.model.stop_training = True


@contextlib.contextmanager
def _averaged(model):
    variables = model.trainable_variables if model.optimizer.use_ema else []
    kept = [np.array(variable) for variable in variables]
    for variable, average in zip(variables, model.optimizer._model_variables_moving_average or []):
        variable.assign(average)
    yield
    for variable, value in zip(variables, kept):
        variable.assign(value)


@contextlib.contextmanager
def _constants(values):
    kept = {name: getattr(CONSTANTS[name], name) for name in values}
    for name, value in values.items():
        setattr(CONSTANTS[name], name, value)
    yield
    for name, value in kept.items():
        setattr(CONSTANTS[name], name, value)


def scores(make, steps, seed, change):
    """Scores after a quarter, a half and all of the steps."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    options = dict(change)
    task = make(seed, **options.pop("input", {}))
    if "optimizer" in options:
        chosen = {"weight_decay": task.ours().optimizer.weight_decay}
        options["optimizer"] = kp.AveragedAdamW(**{**chosen, **options["optimizer"]})
        options["optimizer"].exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    constants = {name: options.pop(name) for name in list(options) if name in CONSTANTS}
    with _constants(constants):
        model = task.ours(**options)
    marks = Marks({steps // 4, steps // 2, steps}, task.score)
    model.fit(**task.data, epochs=10**6, verbose=0, callbacks=[marks])
    return marks.scores


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--only", nargs="+", help="changes, by their names")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="in place of each task's own")
    options = parser.parse_args(arguments)
    for name in options.tasks:
        make, steps, changes = TASKS[name]
        steps = options.steps or steps
        print(f"\n| {name} | {steps // 4} | {steps // 2} | {steps} steps |\n|---|---|---|---|")
        for label, change in {**COMMON, **changes}.items():
            if options.only and label not in options.only:
                continue
            found = [scores(make, steps, seed, change) for seed in range(options.seeds)]
            cells = " | ".join(f"{mean:.3f}" for mean in np.mean(found, axis=0))
            print(f"| {label} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
