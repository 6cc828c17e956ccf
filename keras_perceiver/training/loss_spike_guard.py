"""Goes back to good weights when the loss jumps up or is no number any more."""

import math

import keras

from keras_perceiver import arguments
from keras_perceiver.models.lowered_schedule import LoweredSchedule
from keras_perceiver.training.recent_losses import RecentLosses
from keras_perceiver.training.snapshot import Snapshot


class LossSpikeGuard(keras.callbacks.Callback):
    """Restores the last good weights at a loss spike or NaN, and lowers the learning rate.

    After each step, the loss of that step is compared with the last ones. If it is NaN or infinite,
    or far above the 90th percentile of them in several steps in a row, the model, the optimizer
    (with its number of steps, so that a schedule goes back too) and the random seeds become what
    they were at the last snapshot, the learning rate is multiplied by `lower_by` from then on, and
    one line says so. The data go on where they are: the batches of the spike are not seen again.

    A snapshot is taken at the start and then every `snapshot_every` steps, at the first loss that
    is not above the median, if all weights are finite; it counts as good once the loss of the step
    after it is not high either. Snapshots are NumPy arrays in the main memory: one copy of the
    weights and of the optimizer's variables (three times the weights for Adam and LAMB), and for
    one step after each snapshot two.

    What `fit` shows is a mean over the epoch, which hides spikes and stays NaN for the rest of it.
    The loss of a step is the difference between two such sums. After a restore, metrics are those
    of the snapshot, or empty if it was taken in another epoch.

    Works with `model.fit` and `kp.training.fit`, which also resumes its state; put it first in the
    list, so that other callbacks do not see or save bad weights. With `steps_per_execution`, losses
    are means over the steps of an execution, which count as one.

    Args:
        factor: A loss is high above this many times the 90th percentile of the last losses.
        in_a_row: So many high losses in a row are a spike. One bad batch is not.
        window: Number of last losses.
        floor: Fraction of the first losses that takes the place of the percentile where that is
            smaller: noise of tiny losses is no spike.
        snapshot_every: Steps between snapshots.
        lower_by: What the learning rate is multiplied by at each restore.
        patience: If the same snapshot was restored so many times and there is a spike again,
            training stops with an error.

    Attributes:
        restored: A dict for each restore: `epoch`, `step` (in the epoch, from 1), `loss`, `median`,
            `snapshot` (number of steps trained before it), `learning_rate`.

    Raises:
        ValueError: if an argument is out of range; when training begins, if the model is not built
            or has no loss, if some of its weights are not finite, or if its learning rate is a
            function.
        RuntimeError: when `patience` is at its end; the model then has the weights of the last
            snapshot. If Keras is not running on TensorFlow.

    Example:

    >>> model.fit(train, epochs=10, callbacks=[kp.training.LossSpikeGuard(snapshot_every=200)])
    """

    def __init__(
        self,
        factor=2.0,
        in_a_row=3,
        window=100,
        floor=0.1,
        snapshot_every=100,
        lower_by=0.5,
        patience=3,
    ):
        super().__init__()
        self.factor = arguments.number("factor", factor, above=1)
        self.in_a_row = arguments.whole_number("in_a_row", in_a_row)
        self.window = arguments.whole_number("window", window, at_least=2)
        self.floor = arguments.number("floor", floor, at_least=0)
        self.snapshot_every = arguments.whole_number("snapshot_every", snapshot_every)
        self.lower_by = arguments.number("lower_by", lower_by, above=0, at_most=1)
        self.patience = arguments.whole_number("patience", patience)
        self.restored = []

    def on_train_begin(self, logs=None):
        if keras.backend.backend() != "tensorflow":  # others keep the weights elsewhere during fit
            raise RuntimeError(
                "LossSpikeGuard needs Keras on TensorFlow. Received: the backend "
                f"{keras.backend.backend()!r}"
            )
        self._tracker = next((m for m in self.model.metrics if m.name == "loss"), None)
        if self._tracker is None:
            raise ValueError("LossSpikeGuard needs a model that is compiled with a loss")
        rate = self._optimizer()._learning_rate
        schedules = keras.optimizers.schedules.LearningRateSchedule
        if not isinstance(rate, (keras.Variable, schedules)):
            raise ValueError(
                "The learning rate must be a number or a schedule for LossSpikeGuard to lower it. "
                f"Received: learning_rate={rate!r}"
            )
        if not self.model.built:
            raise ValueError("LossSpikeGuard needs a model that is built before training begins")
        with self.model.distribute_strategy.scope():
            self.model.optimizer.build(self.model.trainable_variables)
        self._recent = RecentLosses(self.window, self.factor, self.floor)
        self.restored = []
        self._epoch = None  # metrics are those of an earlier training
        self._steps = self._num_high = self._times = 0
        self._candidate, self._snapshot = None, self._taken()
        if self._snapshot is None:
            raise ValueError(
                "LossSpikeGuard needs a model whose weights are finite when training begins. "
                "Received: a model with NaN or infinite weights. If they come from the newest "
                "checkpoint, remove it"
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._before = self._sums()

    def on_train_batch_end(self, batch, logs=None):
        self._steps += self.model.steps_per_execution
        loss = self._loss_of_step()
        if loss is None:
            return
        if not math.isfinite(loss):
            self._go_back(batch, loss)
        elif self._recent.is_high(loss):
            self._num_high += 1
            self._candidate = None
            if self._num_high >= self.in_a_row:
                self._go_back(batch, loss)
        elif not self._keep(loss):
            self._go_back(batch, loss, "weights that are not finite, ")

    def on_train_end(self, logs=None):
        self._candidate = self._snapshot = None

    def get_state(self):
        """What `kp.training.fit` saves in checkpoints, as JSON-compatible values."""
        rate = self._optimizer()._learning_rate
        return {
            "recent": self._recent.state(),
            "restored": self.restored,
            "epoch": self._epoch,
            "counts": [self._steps, self._num_high, self._times],
            "scale": rate.scale if isinstance(rate, LoweredSchedule) else None,
        }

    def set_state(self, state):
        """Continues from what `get_state` returned. The snapshot is that of the beginning."""
        self._recent.restore(state["recent"])
        self.restored, self._epoch = state["restored"], state["epoch"]
        self._steps, self._num_high, self._times = state["counts"]
        self._snapshot.steps, self._snapshot.epoch = self._steps, self._epoch
        if state["scale"] is not None:
            self._lower_schedule(state["scale"])

    def _optimizer(self):
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def _sums(self):
        """Sum of losses and number of examples of the epoch so far."""
        with self.model.distribute_strategy.scope():
            tracker = self._tracker
            return [float(keras.ops.convert_to_numpy(v)) for v in (tracker.total, tracker.count)]

    def _loss_of_step(self):
        (total, count), before = self._sums(), self._before
        self._before = [total, count]
        if count < before[1]:  # someone has reset the metrics
            before = [0.0, 0.0]
        examples = count - before[1]
        return (total - before[0]) / examples if examples else None

    def _keep(self, loss):
        """Takes a good loss; returns False if the weights turn out to be bad all the same."""
        self._num_high = 0
        self._recent.add(loss)
        if self._candidate is not None:
            self._snapshot, self._candidate, self._times = self._candidate, None, 0
            return True
        is_due = self._steps - self._snapshot.steps >= self.snapshot_every
        if is_due and loss <= self._recent.median:
            self._candidate = self._taken()
            return self._candidate is not None
        return True

    def _taken(self):
        """A snapshot, or None if there are values that are not finite."""
        snapshot = Snapshot(self.model, self._steps, self._epoch)
        return snapshot if snapshot.is_finite() else None

    def _go_back(self, batch, loss, why=""):
        steps, optimizer = self._snapshot.steps, self._optimizer()
        is_schedule = not isinstance(optimizer._learning_rate, keras.Variable)
        old = optimizer._learning_rate if is_schedule else float(optimizer.learning_rate)
        self._snapshot.restore(self.model, self._epoch)
        self._before = self._sums()
        stops = self._times == self.patience
        if is_schedule and not stops:
            scale = old.scale if isinstance(old, LoweredSchedule) else 1.0
            self._lower_schedule(scale * self.lower_by)
        elif not is_schedule:
            with self.model.distribute_strategy.scope():
                optimizer.learning_rate = old * (1.0 if stops else self.lower_by)

        where = f"epoch {self._epoch + 1}, step {batch + 1}"
        found = f"{why}loss {loss:.4g} (median of the last ones {self._recent.median:.4g})"
        if stops:
            raise RuntimeError(
                f"LossSpikeGuard: {where}: {found}, after the same weights were restored "
                f"{self.patience} times, each time with a lower learning rate. The model has these "
                f"weights again, those after {steps} steps. Look at the data for values that are "
                "not finite, and start with a lower learning rate or clipped gradients"
            )
        self._num_high, self._candidate = 0, None
        self._times += 1
        rate = float(optimizer.learning_rate)
        entry = {"epoch": self._epoch, "step": batch + 1, "loss": loss}
        entry.update(median=self._recent.median, snapshot=steps, learning_rate=rate)
        self.restored = [*self.restored, entry]
        self._steps = steps
        print(
            f"\nLossSpikeGuard: {where}: {found}; restored the weights after {steps} steps, "
            f"learning rate now {rate:.4g}",
            flush=True,
        )

    def _lower_schedule(self, scale):
        optimizer = self._optimizer()
        schedule = optimizer._learning_rate
        if isinstance(schedule, LoweredSchedule):
            schedule = schedule.schedule
        optimizer.learning_rate = LoweredSchedule(schedule, scale)
        self.model.make_train_function(force=True)  # the old one was traced with the old schedule
