"""A training that can be killed at any time and started again.

    killed_script.py DIRECTORY RESULT [seconds_after_the_first_step | checkpoint=NUMBER]

It kills itself with SIGKILL so many seconds after its first step, or when checkpoint NUMBER (from
this start on) is half written.
"""

import os
import signal
import sys
import threading
import time

import keras
import numpy as np

import keras_perceiver as kp


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class Killed(keras.callbacks.Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_train_batch_end(self, batch, logs=None):
        if self.seconds is not None:
            threading.Thread(target=lambda: (time.sleep(self.seconds), kill()), daemon=True).start()
            self.seconds = None
        time.sleep(0.02)  # so that there is time to be killed in


def kill_in_checkpoint(number):
    write, count = np.savez, iter(range(number + 1))

    def half_written(file, **arrays):
        write(file, **arrays)
        if next(count) == number:
            file.flush()
            os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size // 2)
            kill()

    np.savez = half_written


def main(directory, result, how=""):
    if how.startswith("checkpoint="):
        kill_in_checkpoint(int(how.removeprefix("checkpoint=")))
        how = ""
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(0)
    train = kp.data.from_arrays(
        random.normal(size=(30, 4, 4, 1)),
        random.integers(3, size=30),
        batch_size=4,
        num_classes=3,
        shuffle=True,
        seed=5,
        augment=kp.data.random_noise,
    )
    model = kp.build_classifier(
        (4, 4, 1),
        3,
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
        dropout=0.1,
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(1e-2, 48), use_ema=True
        ),
    )
    history = kp.training.fit(
        model,
        train,
        epochs=6,
        directory=directory,
        save_every=1,
        callbacks=[Killed(float(how) if how else None)],
        verbose=0,
    ).history
    weights = {f"weight_{index}": weight for index, weight in enumerate(model.get_weights())}
    np.savez(result, **history, **weights)


main(*sys.argv[1:])
