"""What the experiments in this folder share: the command line, the runs over seeds, the table.

An experiment is a set of variants that differ in one thing, trained with the same data, steps and
seeds, and simple baselines beside them. Each file here makes one `Experiment` and calls `run`.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

RESULTS = Path(__file__).parents[1] / "results"


@dataclasses.dataclass
class Experiment:
    """One claim of a paper, and how it is tried in small.

    Args:
        name: Name of the file, without ".py".
        title: A few words.
        claim: What the paper says, with its section or table.
        unit: What is measured, such as "accuracy".
        variants: {name in the table: function of (seed, options) to a number}
        verdict: Function of {variant: mean over seeds} to (whether the claim shows, a sentence).
            The table prints both, whichever way it went.
        steps: Training steps of each variant.
        more_is_better: Whether a larger number is better.
        baselines: Names of the variants that are no Perceiver.
        data: Which data, in a few words.
        needs_data: Extra arguments of the command, as (name, arguments of `add_argument`).
    """

    name: str
    title: str
    claim: str
    unit: str
    variants: dict[str, Callable]
    verdict: Callable
    data: str
    steps: int = 1000
    more_is_better: bool = True
    baselines: tuple = ()
    needs_data: tuple = ()

    def parser(self, description):
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--seeds", type=int, default=1, help="runs of each variant")
        parser.add_argument("--steps", type=int, default=self.steps, help="training steps")
        parser.add_argument("--only", nargs="*", help="these variants alone")
        parser.add_argument("--data_dir", help="directory of prepared data sets")
        parser.add_argument("--results", type=Path, help="directory for the numbers, as JSON")
        for name, options in self.needs_data:
            parser.add_argument(name, **options)
        return parser


def run(experiment, description, arguments=None):
    """Runs every variant with every seed, prints a table, and writes the numbers if asked to.

    Args:
        experiment: The `Experiment`.
        description: For `--help`; the docstring of its file.
        arguments: Of the command line. Default: those of the process.

    Returns:
        {variant: scores by seed}
    """
    options = experiment.parser(description).parse_args(arguments)
    chosen = options.only or list(experiment.variants)
    unknown = set(chosen) - set(experiment.variants)
    if unknown:
        raise SystemExit(f"--only takes {list(experiment.variants)}. Received: {sorted(unknown)}")
    scores, seconds = {name: [] for name in chosen}, {name: [] for name in chosen}
    for seed in range(options.seeds):
        for name in chosen:
            keras.utils.clear_session()
            keras.utils.set_random_seed(seed)
            start = time.perf_counter()
            scores[name].append(float(experiment.variants[name](seed, options)))
            seconds[name].append(round(time.perf_counter() - start, 1))
            print(f"seed {seed}  {name}: {experiment.unit} {scores[name][-1]:.4f}", flush=True)
        if options.results:  # after each seed, since a run of several takes long
            write(experiment, options, scores, seconds)
    print(f"\n{experiment.title}: {experiment.unit}, {options.seeds} seeds")
    for name in chosen:
        print(f"  {name:48s} {spread(scores[name])}   {np.median(seconds[name]):5.0f} s")
    shows, sentence = judged(experiment, scores)
    if shows is not None:
        print(f"The claim {'shows' if shows else 'does not show'}: {sentence}")
    return scores


def judged(experiment, scores):
    """Whether the claim shows, None if not all variants were run, and a sentence."""
    if set(scores) != set(experiment.variants):
        return None, "not all variants were run"
    shows, sentence = experiment.verdict({name: float(np.mean(v)) for name, v in scores.items()})
    return bool(shows), sentence


def write(experiment, options, scores, seconds):
    """Writes the numbers of the seeds so far, for results.py."""
    shows, sentence = judged(experiment, scores)
    seeds = min(map(len, scores.values()))
    command = f"python examples/papers/{experiment.name}.py --seeds {seeds}"
    if options.steps != experiment.steps:
        command += f" --steps {options.steps}"
    record = {
        "title": experiment.title,
        "claim": experiment.claim,
        "unit": experiment.unit,
        "data": experiment.data,
        "more_is_better": experiment.more_is_better,
        "baselines": list(experiment.baselines),
        "steps": options.steps,
        "seeds": seeds,
        "scores": scores,
        "seconds": seconds,
        "shows": shows,
        "verdict": sentence,
        "command": command,
    }
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"{experiment.name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")


def spread(values):
    """ "0.912 (0.905 to 0.921)": the mean, least and largest."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def fit(model, batches, steps, **options):
    """Trains for a number of steps, whatever the length of the pipeline.

    Args:
        model: A compiled model.
        batches: A pipeline of batches; it is repeated.
        steps: Training steps.
    """
    options = {"shuffle": False, "verbose": 0, **options}
    model.fit(batches.repeat(), steps_per_epoch=steps, epochs=1, **options)
    return model


def arrays(pipeline):
    """(inputs, targets) of a whole pipeline as NumPy arrays; inputs may be dicts."""
    parts = [tf.nest.map_structure(np.asarray, batch[:2]) for batch in pipeline]
    return tf.nest.map_structure(lambda *some: np.concatenate(some), *parts)


def accuracy(model, pipeline):
    """Share of right classes of a model with logits."""
    right = total = 0
    for inputs, labels, *_ in pipeline:
        found = np.argmax(model.predict_on_batch(inputs), axis=-1)
        right, total = right + int((found == np.asarray(labels)).sum()), total + len(labels)
    return right / total
