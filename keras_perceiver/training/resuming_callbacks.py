"""Runs callbacks in a resumed training as if it had not been interrupted."""

import keras

from keras_perceiver.training.loss_spike_guard import LossSpikeGuard


class ResumingCallbacks(keras.callbacks.CallbackList):
    """Runs the user's callbacks and then saves checkpoints.

    `model.fit` is called once for the rest of an interrupted epoch and once for the epochs after
    it. The callbacks see a single training, whose batches are numbered from the start of each
    epoch.

    Args:
        callbacks: A list of `keras.callbacks.Callback`.
        model: The model.
        state: Its `TrainingState`.
        position: The current position: a dict of `epoch`, `step` (in that epoch), `steps` (of an
            epoch), `history`, `epochs` (so far), `stopped` and `guards` (states of callbacks, once
            there is a checkpoint). Updated during training.
        checkpoints: A `CheckpointDirectory`, or None.
        save_every: Steps between checkpoints within an epoch, or None to save only after epochs.
        epochs: Number of epochs.
        verbose: As in `model.fit`.
    """

    def __init__(self, callbacks, model, state, position, checkpoints, save_every, epochs, verbose):
        self.position = position
        self.checkpoints = checkpoints
        self.save_every = save_every
        self.state = state
        self.full_history = keras.callbacks.History()
        self.with_state = [one for one in callbacks if isinstance(one, LossSpikeGuard)]
        self.begun = False
        self.is_last_call = True
        self.first_epoch, self.first_step = position["epoch"], position["step"]
        self.offset = 0
        verbose = 1 if verbose == "auto" else verbose
        super().__init__(
            [*callbacks, self.full_history],
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=position["steps"],
            model=model,
        )

    def on_train_begin(self, logs=None):
        if self.begun:
            return
        self.begun = True
        super().on_train_begin(logs)
        for callback, state in zip(self.with_state, self.position.get("guards", ())):
            callback.set_state(state)
        self.full_history.epoch = list(self.position["epochs"])
        self.full_history.history = {name: list(v) for name, v in self.position["history"].items()}

    def on_epoch_begin(self, epoch, logs=None):
        self.offset = self.first_step if epoch == self.first_epoch else 0
        if self.offset:
            self.state.write_metrics()
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch + self.offset, logs)

    def on_train_batch_end(self, batch, logs=None):
        batch += self.offset
        super().on_train_batch_end(batch, logs)
        done = batch + 1
        if self.save_every and done % self.save_every == 0 and done < self.position["steps"]:
            self._save(step=done)

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self._save(epoch=epoch + 1, step=0)

    def on_train_end(self, logs=None):
        if self.is_last_call or self.model.stop_training:
            super().on_train_end(logs)
            if self.model.stop_training:  # callbacks may have restored other weights
                self._save()

    def _save(self, **changes):
        history = {name: [float(v) for v in vs] for name, vs in self.full_history.history.items()}
        stopped = bool(self.model.stop_training)
        self.position.update(
            history=history, epochs=list(self.full_history.epoch), stopped=stopped, **changes
        )
        if self.checkpoints is not None:
            self.position["guards"] = [callback.get_state() for callback in self.with_state]
            step = self.position["epoch"] * self.position["steps"] + self.position["step"]
            self.checkpoints.save(step, self.position, self.state.read())
