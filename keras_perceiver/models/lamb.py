"""LAMB as the papers train with it."""

import re

import keras
from keras import ops

from keras_perceiver import arguments

NOT_DECAYED = ("bias", "gamma", "beta")


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Lamb(keras.optimizers.Lamb):
    """LAMB with weight decay inside the trust ratio, none on biases and normalisation.

    One step, for each array `p` of the model with gradient `g`:

        g = g * min(1, global_clipnorm / norm of all gradients together)
        m = beta_1 m + (1 - beta_1) g,   v = beta_2 v + (1 - beta_2) g^2
        u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
        u = u + weight_decay p                    unless the name of p is not decayed
        p = p - learning_rate |p| / |u| u         with 1 in place of |p| / |u| if either is 0

    `keras.optimizers.Lamb` differs in the last but one line: it shrinks `p` by `learning_rate
    weight_decay p` before the step, outside the trust ratio, and all arrays unless told otherwise.
    Its exclusions are not saved with a model; these are.

    Gradients are clipped after they were added up over devices, so that `tf.distribute` gives the
    same as one device, which Keras' own clipping does not.

    Args:
        learning_rate: A number or a schedule.
        weight_decay: Fraction of the weights to add to the update, or None.
        beta_1, beta_2: Decay rates of the moments.
        epsilon: Added to the root of the second moment.
        global_clipnorm: Largest norm of all gradients together, or None.
        exclude_from_weight_decay: Names of variables that are not decayed. By default biases, and
            the scales and offsets of LayerNormalization and BatchNormalization; tables of
            positions, latents, queries and embeddings are decayed.
        name: Name of the optimizer.
        **kwargs: Other arguments of `keras.optimizers.Lamb`: `use_ema`, `ema_momentum`,
            `gradient_accumulation_steps`, ...

    Raises:
        ValueError: if an argument is out of range.

    Example:

    >>> schedule = kp.training.flat_then_cosine(2e-3, steps=10_000)
    >>> model.compile(kp.training.Lamb(schedule, weight_decay=0.1, global_clipnorm=10.0), loss)

    Reference: Perceiver IO (arXiv 2107.14795), appendix A.1; LAMB (arXiv 1904.00962), algorithm 2.
    """

    clips_all_devices_together = True  # see `kp.training.fit`

    def __init__(
        self,
        learning_rate=1e-3,
        weight_decay=None,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        global_clipnorm=None,
        exclude_from_weight_decay=NOT_DECAYED,
        name="lamb",
        **kwargs,
    ):
        if not callable(learning_rate):  # as schedules are
            learning_rate = arguments.number("learning_rate", learning_rate, at_least=0)
        if weight_decay is not None:
            arguments.number("weight_decay", weight_decay, at_least=0)
        arguments.fraction("beta_1", beta_1)
        arguments.fraction("beta_2", beta_2)
        arguments.number("epsilon", epsilon, at_least=0)
        if global_clipnorm is not None:
            arguments.number("global_clipnorm", global_clipnorm, above=0)
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            weight_decay=weight_decay,
            global_clipnorm=global_clipnorm,
            name=name,
            **kwargs,
        )
        self.not_decayed = _names(exclude_from_weight_decay)
        if self.not_decayed:
            exact = [f"^{re.escape(one)}$" for one in self.not_decayed]
            self.exclude_from_weight_decay(var_names=exact)

    def build(self, variables):
        # Here, since TensorFlow's own variables, which `update_step` gets, have longer names.
        if not self.built:
            self._is_decayed = [self._use_weight_decay(variable) for variable in variables]
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        double = keras.backend.standardize_dtype(variable.dtype) == "float64"
        kind = "float64" if double else "float32"
        gradient, value = ops.cast(gradient, kind), ops.cast(variable, kind)
        step = ops.cast(self.iterations + 1, kind)

        m, v = ops.cast(first, kind), ops.cast(second, kind)
        m = m + (1 - self.beta_1) * (gradient - m)
        v = v + (1 - self.beta_2) * (ops.square(gradient) - v)
        self.assign(first, m)
        self.assign(second, v)

        m = m / (1 - ops.power(ops.cast(self.beta_1, kind), step))
        v = v / (1 - ops.power(ops.cast(self.beta_2, kind), step))
        update = m / (ops.sqrt(v) + self.epsilon)
        if self.weight_decay and self._is_decayed[index]:
            update = update + self.weight_decay * value

        sizes = ops.norm(ops.reshape(value, (-1,))), ops.norm(ops.reshape(update, (-1,)))
        known = ops.logical_and(sizes[0] > 0, sizes[1] > 0)
        ratio = ops.where(known, sizes[0] / ops.where(known, sizes[1], 1.0), 1.0)
        self.assign_sub(variable, ops.cast(learning_rate, kind) * ratio * update)

    def _apply_weight_decay(self, variables):
        """Nothing: `update_step` applies it."""

    def _clip_gradients(self, gradients):
        if hasattr(super(), "_all_reduce_sum_gradients"):  # on TensorFlow: those of one device
            return gradients
        return super()._clip_gradients(gradients)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        gradients, variables = zip(*super()._all_reduce_sum_gradients(grads_and_vars))
        # The rows of a table that were looked up may come twice, so their squares do not add up.
        gradients = [ops.add(gradient, 0.0) for gradient in gradients]
        return list(zip(super()._clip_gradients(gradients), variables))

    def get_config(self):
        return {**super().get_config(), "exclude_from_weight_decay": list(self.not_decayed)}


def _names(names):
    listed = names is None or isinstance(names, (list, tuple))
    if not listed or not all(isinstance(one, str) and one for one in names or ()):
        raise ValueError(
            "`exclude_from_weight_decay` must be a list of names of variables, such as 'bias'. "
            f"Received: exclude_from_weight_decay={names!r}"
        )
    return tuple(names or ())
