"""How well small models learn small data with the defaults of the builders.

    python benchmarks/learning.py                       # all tasks, three seeds: about an hour
    python benchmarks/learning.py --tasks bars --seeds 1

Each model trains for so many seconds of `fit`, counted from its first step. "before" is the papers'
initial values and the sizes of `kp.Sizes` (`initialization="papers"`). A model leaves the plateau
when the mean loss of an epoch so far first falls below nine tenths of the loss of the best constant
answer. Writes benchmarks/results/learning.md, .json and .png after every model. scikit-learn comes
with the tests; the series need `pip install aeon`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from benchmarks.chart import OURS, THEIRS
from benchmarks.learning_tasks import TASKS
from benchmarks.machine import machine

RESULTS = Path(__file__).resolve().parent / "results"
WHO = ("ours", "before", "other")
LEAVES = 0.9  # times the loss of a constant answer


class Clock(keras.callbacks.Callback):
    """Ends training after some seconds, and counts steps.

    Args:
        seconds: How long to train, from the end of the first step.
        plateau: Loss of the best constant answer.

    Attributes:
        steps: Number of steps.
        left: Seconds after which the plateau was left, or None.
        first_epoch: Loss after the first step, and the mean loss of the first epoch.
    """

    def __init__(self, seconds, plateau=0.0):
        super().__init__()
        self.seconds, self.plateau = seconds, plateau
        self.steps, self.left, self.first_epoch = 0, None, []

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 1:
            self.start = time.perf_counter()
            self.first_epoch = [logs["loss"]]
        seconds = time.perf_counter() - self.start
        if self.left is None and logs["loss"] < LEAVES * self.plateau:
            self.left = seconds
        if seconds > self.seconds:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.first_epoch.append(logs["loss"])


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
        try:
            task = make(0)
        except ModuleNotFoundError as error:
            print(f"{name} is left out: {error}")
            continue
        compared = [who for who in options.who if who != "other"]
        compared += task.others if "other" in options.who else []
        for who in compared:
            scores = [_score(make, who, seconds, seed) for seed in range(options.seeds)]
            found.setdefault(name, {})[who] = scores
            print(name, who, scores, flush=True)
            path.write_text(json.dumps({"machine": machine(), "scores": found}, indent=1))
            (RESULTS / f"{options.name}.md").write_text(_page(found))
            draw(found, RESULTS / f"{options.name}.png")


def _score(make, who, seconds, seed):
    """The score, and what the `Clock` saw."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    task = make(seed)
    papers = {"initialization": "papers"} if who == "before" else {}
    model = task.others[who]() if who in task.others else task.ours(**papers)
    clock = Clock(seconds, task.plateau)
    model.fit(**task.data, epochs=10**6, verbose=0, callbacks=[clock])
    return {
        "score": task.score(model),
        "steps": clock.steps,
        "left": clock.left,
        "first_epoch": clock.first_epoch,
    }


def _page(found):
    about = machine()
    rows = [
        "# Small models on small data",
        "",
        f"Made by `python benchmarks/learning.py` on {about['cpu']}, {about['cores']} cores. Means",
        "over the seeds, each seed in brackets. All arguments are defaults but for shapes;",
        '`before` has `initialization="papers"`. What a task is: `benchmarks/learning_tasks.py`. A',
        "model leaves the plateau when its loss is below nine tenths of that of the best constant",
        "answer; these are means over the seeds, in seconds. First epoch: our loss after the first",
        "step, and the mean over the first epoch.",
        "",
        "| task | seconds | floor | ours | before | something else | plateau left: ours | before "
        "| first epoch |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (_, seconds, floor, less) in TASKS.items():
        if name in found:
            cells = [_cell(found[name].get(who)) for who in WHO[:2]]
            others = [who for who in found[name] if who not in WHO]
            cells.append("; ".join(f"{who}: {_cell(found[name][who])}" for who in others))
            cells += [_left(found[name].get(who)) for who in WHO[:2]]
            cells.append(_first_epoch(found[name].get("ours")))
            sign = "" if floor is None else f"{'<' if less else '>'} {floor}"
            rows.append(f"| {name} | {seconds} | {sign} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(scores):
    if not scores:
        return ""
    values = [one["score"] for one in scores]
    each = ", ".join(f"{value:.3f}" for value in values)
    steps = int(np.mean([one["steps"] for one in scores]))
    counted = f"; {steps:,} steps" if steps else ""
    return f"{np.mean(values):.3f} ({each}{counted})"


def _first_epoch(scores):
    losses = [one["first_epoch"] for one in scores or () if len(one["first_epoch"]) == 2]
    return " to ".join(f"{mean:.2f}" for mean in np.mean(losses, axis=0)) if losses else ""


def _left(scores):
    times = [one["left"] for one in scores or ()]
    if None in times:
        return f"{times.count(None)} of {len(times)} not" if len(times) > 1 else "not"
    return f"{np.mean(times):.1f}" if times else ""


def draw(found, path):
    """A chart of how long models stay on the plateau."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in TASKS if name in found]
    figure, axis = pyplot.subplots(figsize=(7.5, 1.6 + 0.42 * len(names)))
    colors = {"before": THEIRS, "ours": OURS}
    for row, name in enumerate(names):
        for place, who in ((row + 0.18, "before"), (row - 0.18, "ours")):
            times = [one["left"] for one in found[name].get(who) or ()]
            if not times:
                continue
            stays = None in times
            seconds = TASKS[name][1] if stays else np.mean(times)
            axis.barh(place, seconds, 0.34, color=colors[who])
            label = f" not in {seconds} s" if stays else f" {seconds:.1f} s"
            axis.text(seconds, place, label, va="center", fontsize=8)
    axis.set_yticks(range(len(names)), names, fontsize=9)
    axis.invert_yaxis()
    axis.set_xlim(0, 80)
    axis.set_xlabel("seconds of `fit` on two cores until the loss leaves the plateau", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title("Default models: initialization='local' (blue) and 'papers' (grey)", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
