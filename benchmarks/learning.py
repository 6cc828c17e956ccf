"""How well small models learn small data with the defaults of the builders.

    python benchmarks/learning.py                       # all tasks, three seeds: about an hour
    python benchmarks/learning.py --tasks bars --seeds 1

Each model trains for so many seconds of `fit`, counted from its first step. "before" is the papers'
initial values and the sizes of `kp.Sizes` (`initialization="papers"`). Writes
benchmarks/results/learning.md and .json after every model. scikit-learn comes with the tests; the
series need `pip install aeon`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from benchmarks.learning_tasks import TASKS
from benchmarks.machine import machine

RESULTS = Path(__file__).resolve().parent / "results"
WHO = ("ours", "before", "other")


class Clock(keras.callbacks.Callback):
    """Ends training after some seconds, and counts steps."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.steps = seconds, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 1:
            self.start = time.perf_counter()
        if time.perf_counter() - self.start > self.seconds:
            self.model.stop_training = True


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=[""], help="names, or parts of them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--who", nargs="+", choices=WHO, default=WHO)
    parser.add_argument("--name", default="learning", help="of the result files")
    options = parser.parse_args(arguments)
    path = RESULTS / f"{options.name}.json"
    found = json.loads(path.read_text())["scores"] if path.exists() else {}
    for name, (make, seconds, *_) in TASKS.items():
        if not any(part in name for part in options.tasks):
            continue
        for who in options.who:
            scores = [_score(make, who, seconds, seed) for seed in range(options.seeds)]
            if None in scores:
                continue
            found.setdefault(name, {})[who] = scores
            print(name, who, scores, flush=True)
            path.write_text(json.dumps({"machine": machine(), "scores": found}, indent=1))
            (RESULTS / f"{options.name}.md").write_text(_page(found))


def _score(make, who, seconds, seed):
    """{"score", "steps"}, or None where there is nothing to train."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    try:
        task = make(seed)
    except ModuleNotFoundError as error:
        print(f"left out: {error}")
        return None
    if who == "other" and task.other is None:
        return None
    papers = {"initialization": "papers"} if who == "before" else {}
    model = task.other() if who == "other" else task.ours(**papers)
    clock = Clock(seconds)
    model.fit(**task.data, epochs=10**6, verbose=0, callbacks=[clock])
    return {"score": task.score(model), "steps": clock.steps}


def _page(found):
    about = machine()
    rows = [
        "# Small models on small data",
        "",
        f"Made by `python benchmarks/learning.py` on {about['cpu']}, {about['cores']} cores. Means",
        "over the seeds, each seed in brackets. All arguments are defaults but for shapes;",
        '`before` has `initialization="papers"`. What a task is: `benchmarks/learning_tasks.py`.',
        "",
        "| task | seconds | floor | ours | before | something else |",
        "|---|---|---|---|---|---|",
    ]
    for name, (_, seconds, floor, less, other) in TASKS.items():
        if name in found:
            cells = [_cell(found[name].get(who)) for who in WHO]
            cells[2] = f"{other}: {cells[2]}" if cells[2] else ""
            sign = "<" if less else ">"
            rows.append(f"| {name} | {seconds} | {sign} {floor} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(scores):
    if not scores:
        return ""
    values = [one["score"] for one in scores]
    each = ", ".join(f"{value:.3f}" for value in values)
    steps = int(np.mean([one["steps"] for one in scores]))
    return f"{np.mean(values):.3f} ({each}; {steps:,} steps)"


if __name__ == "__main__":
    main()
