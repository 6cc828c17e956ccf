"""Pictures of attention in TensorBoard, while a model trains."""

import io
from pathlib import Path

import keras

from keras_perceiver import arguments
from keras_perceiver.extras import require
from keras_perceiver.visualization.plot_attention import plot_attention


class AttentionToTensorBoard(keras.callbacks.Callback):
    """Writes a picture of attention for TensorBoard after every few epochs.

    Args:
        log_dir: Directory, such as that of `keras.callbacks.TensorBoard`.
        inputs: A batch of model inputs, which should not be training data.
        examples: Which of them are drawn.
        every: Epochs from one picture to the next. The first is drawn before training.
        **options: `output`, `query` or `latent` of `plot_attention`.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if an argument is wrong.

    Example:

    >>> look = kp.visualization.AttentionToTensorBoard("logs", test_images[:8], examples=(0, 3))
    >>> model.fit(train, epochs=10, callbacks=[look])  # then: tensorboard --logdir logs
    """

    def __init__(self, log_dir, inputs, examples=(0,), every: int = 1, **options):
        super().__init__()
        self.log_dir = arguments.path("log_dir", log_dir)
        self.inputs = inputs
        if not isinstance(examples, (tuple, list)):
            raise ValueError(
                f"`examples` must be a list of whole numbers. Received: examples={examples!r}"
            )
        self.examples = tuple(arguments.whole_number("examples", n, at_least=0) for n in examples)
        self.every = arguments.whole_number("every", every)
        arguments.check_known(
            "AttentionToTensorBoard", options, ("output", "query", "latent", "title")
        )
        self.options = options
        require("matplotlib.figure", "visualization")
        self._writer = None

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        self._writer = tf.summary.create_file_writer(str(Path(self.log_dir) / "attention"))
        self._write(0)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self._write(epoch + 1)

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write(self, epoch):
        import tensorflow as tf

        for example in self.examples:
            figure = plot_attention(self.model, self.inputs, example, **self.options)
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=80)
            picture = tf.image.decode_png(file.getvalue(), channels=3)
            with self._writer.as_default():
                tf.summary.image(f"attention/example_{example}", picture[None], step=epoch)
