"""One worker of two, or a single process: trains, is interrupted, resumes, evaluates.

    worker_script.py DIRECTORY RESULT [stop]

The worker is known by TF_CONFIG. With `stop`, it dies in the middle of the second epoch.
"""

import os
import signal
import sys

import keras
import numpy as np
from small_tasks import BUILDERS, Draw, batches

import keras_perceiver as kp

NEVER_REACHED = "key/bias"  # see mirrored_script.py


class Die(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 5:
            os.kill(os.getpid(), signal.SIGKILL)


def main(directory, result, stop=None):
    strategy = kp.training.strategy()
    keras.utils.set_random_seed(7)
    with strategy.scope():
        model, arrays = BUILDERS["classifier"](Draw())
    history = kp.training.fit(
        model,
        batches(arrays),
        epochs=3,
        directory=directory,
        save_every=1,
        validation_data=batches(arrays),
        callbacks=[Die()] if stop else [],
        verbose=0,
    ).history
    evaluated = model.evaluate(batches(arrays), return_dict=True, verbose=0)
    numbers = {**history, **{f"evaluated_{name}": value for name, value in evaluated.items()}}
    weights = {
        f"weight_{index}": weight.numpy()
        for index, weight in enumerate(model.weights)
        if not weight.path.endswith(NEVER_REACHED)
    }
    np.savez(result, replicas=strategy.num_replicas_in_sync, **numbers, **weights)


main(*sys.argv[1:])
