"""Searches for a better digits classifier than the default, at no higher cost.

    python examples/tune_digits.py            (--help for trials, epochs, seeds)

Bayesian optimisation draws sizes and learning rates, limited to the default model's number of
parameters and FLOPs, and scores each model on a fifth of the training images. Then the best and the
default model are trained in the same way on all training images, with several seeds, and compared
on the 360 test images that the search has not used. An interrupted search can be resumed.

Measured on two shared cores: 16 trials in 3 minutes, the comparison in 2. The best model had 16
latents of width 192, one self-attend and a learning rate of 5e-4. Over three seeds its mean test
accuracy was 0.932 and the default's 0.934, where seeds differed by 0.067: the search does not beat
the default. The model that it found is as good with 0.0127 instead of 0.0322 GFLOP.
"""

import argparse
import sys
import time
from pathlib import Path

import keras
import keras_tuner
import numpy as np
from sklearn.model_selection import train_test_split

import keras_perceiver as kp

SHAPE, NUM_CLASSES = (8, 8, 1), 10
SEARCH = {
    "latent_dim": [32, 64, 96, 128, 192],
    "num_latents": [4, 8, 16, 32, 64],
    "num_self_attends_per_block": [1, 2, 3, 4, 6],
    "num_self_attention_heads": [4, 8],
    "learning_rate": (5e-4, 8e-3),
}


def main():
    options = parse_options()
    train, test = (arrays(part) for part in kp.data.digits(batch_size=64))
    if options.quick:
        train, test = [part[:64] for part in train], [part[:64] for part in test]

    hypermodel = kp.tuning.PerceiverHyperModel(
        SHAPE, num_classes=NUM_CLASSES, budget=budget(), search=SEARCH
    )
    print(f"{len(hypermodel.space.combinations())} sizes within {hypermodel.budget.limits}")
    start = time.time()
    tuner = search(hypermodel, train, options)
    print(f"{len(tuner.oracle.trials)} trials; this run searched for {time.time() - start:.0f} s")
    best = hypermodel.arguments(tuner.get_best_hyperparameters()[0])
    print(f"best: {best}, {kp.costs({**hypermodel.fixed, **best})}")
    compare(best, train, test, options)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=8, help="of each trial")
    parser.add_argument("--final-epochs", type=int, default=16, help="of the comparison")
    parser.add_argument("--seeds", type=int, default=3, help="models of each kind; 0: search only")
    parser.add_argument("--output", type=Path, default=Path("saved_models/tune_digits"))
    parser.add_argument("--quick", action="store_true", help="a few images only, to try the code")
    return parser.parse_args()


def arrays(dataset):
    """All images and all labels of a dataset."""
    return [np.concatenate(part) for part in zip(*dataset.as_numpy_iterator())]


def budget():
    """The costs of the default model."""
    costs = kp.costs({"inputs": SHAPE, "outputs": kp.Classes(NUM_CLASSES)})
    print(f"default: {costs}")
    return {"parameters": costs.parameters, "flops": costs.flops}


def search(hypermodel, train, options):
    images, valid_images, labels, valid_labels = train_test_split(
        *train, test_size=0.2, stratify=train[1], random_state=0
    )
    tuner = keras_tuner.BayesianOptimization(
        hypermodel,
        objective=keras_tuner.Objective("val_loss", "min"),
        max_trials=options.trials,
        num_initial_points=max(2, options.trials // 2),
        seed=0,
        directory=options.output,
        project_name="quick" if options.quick else "search",
    )
    tuner.search(
        images,
        labels,
        validation_data=(valid_images, valid_labels),
        batch_size=64,
        epochs=options.epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_end=lambda logs: print(".", end=""))],
    )
    return tuner


def compare(best, train, test, options):
    """Trains the default and the best model with the same data, epochs and seeds."""
    accuracies = {"default": [], "best": []}
    for seed in range(options.seeds):
        for name, arguments in (("default", {}), ("best", best)):
            keras.utils.set_random_seed(seed)
            model = kp.build_classifier(SHAPE, NUM_CLASSES, **arguments)
            model.fit(*train, batch_size=64, epochs=options.final_epochs, verbose=0)
            loss, accuracy = model.evaluate(*test, verbose=0)
            accuracies[name].append(accuracy)
            print(f"seed {seed}: {name:>7} has test accuracy {accuracy:.4f}, loss {loss:.4f}")
    if not options.seeds:
        return
    means = {name: np.mean(found) for name, found in accuracies.items()}
    gain = means["best"] - means["default"]
    # One test image is 0.28 %; a gain below the difference between seeds is not significant.
    spread = max(max(found) - min(found) for found in accuracies.values())
    print(f"mean test accuracy: default {means['default']:.4f}, best {means['best']:.4f}")
    verdict = "beats" if gain > spread else "does not clearly beat"
    print(f"The search {verdict} the default: {gain:+.4f}, where seeds differ by {spread:.4f}.")


if __name__ == "__main__":
    sys.exit(main())
