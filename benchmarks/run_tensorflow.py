"""Runs a model on TensorFlow."""

import tensorflow as tf

from benchmarks.side import MATRIX


class TensorFlow:
    package = "tensorflow"

    def __init__(self, jit=False, threads=2):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.jit = jit

    def arrays(self, inputs):
        return tf.nest.map_structure(tf.constant, inputs)

    def function(self, call):
        """Compiles `call` to a graph, and returns a function that runs it to completion."""
        graph = tf.function(call, jit_compile=self.jit)

        def run():
            for tensor in tf.nest.flatten(graph())[:1]:
                tf.reshape(tensor, [-1])[:1].numpy()

        return run

    def layer(self, layer, args, kwargs):
        return self.function(lambda: layer(*args, **kwargs))

    def step(self, model, inputs, mode):
        def forward():
            return model(inputs, training=False)

        def train():
            with tf.GradientTape() as tape:
                outputs = tf.nest.flatten(model(inputs, training=True))
                loss = sum(tf.reduce_mean(tf.square(tf.cast(o, "float32"))) for o in outputs)
            weights = [weight.value for weight in model.trainable_variables]
            gradients = tape.gradient(loss, weights)
            return loss, [g for g in gradients if g is not None]

        return self.function({"forward": forward, "train": train}[mode])

    def matrix_product(self, dtype):
        a = tf.Variable(tf.cast(tf.random.normal((MATRIX, MATRIX)), dtype))  # no constant to fold
        return self.function(lambda: tf.matmul(a, a))

    def device_memory(self):
        if not tf.config.list_physical_devices("GPU"):
            return None
        peak = tf.config.experimental.get_memory_info("GPU:0")
        tf.config.experimental.reset_memory_stats("GPU:0")
        return peak["peak"] - peak["current"]
