"""An optimizer that keeps the gradients of a step and changes no weight."""

import keras


class GradientRecorder(keras.optimizers.Optimizer):
    """Keeps the last gradient of each weight in `recorded`; works on every backend."""

    def __init__(self):
        super().__init__(learning_rate=0.0)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.recorded = [
                self.add_variable_from_reference(variable, "gradient") for variable in variables
            ]

    def update_step(self, gradient, variable, learning_rate):
        kept = self.recorded[self._get_variable_index(variable)]
        self.assign(kept, keras.ops.cast(gradient, kept.dtype))
