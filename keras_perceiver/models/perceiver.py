"""The Perceiver: inputs -> latents -> outputs."""

import inspect

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.precision import dtype_policy
from keras_perceiver.models import adapting
from keras_perceiver.models.chunked_decoder import ChunkedDecoder
from keras_perceiver.models.clones import Clone, is_cloning
from keras_perceiver.models.decoder import make_decoder
from keras_perceiver.models.descriptions import as_given, as_inputs, as_outputs
from keras_perceiver.models.encoder import make_encoder
from keras_perceiver.models.input_checks import InputChecks
from keras_perceiver.models.local_start import start_locally
from keras_perceiver.models.names import check_model_name, check_tensor_names
from keras_perceiver.models.preset_directory import save_preset
from keras_perceiver.models.sizes import Sizes
from keras_perceiver.models.target_checks import check_losses, check_targets


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Perceiver(keras.Model):
    """Perceiver and Perceiver IO: inputs -> latents -> outputs.

    A functional model of two nested functional models: `encoder` (raw inputs to latents) and
    `decoder` (latents to outputs).

    For Perceiver 1, set `num_cross_attends` > 1 and use an output that pools the latents: each
    cross-attend is followed by the latent Transformer. By default, the first cross-attend has its
    own weights, the other cross-attends share one set of weights, and all latent Transformers share
    another. For Perceiver IO, set `num_cross_attends` = 1 and use outputs that query the latents.

    Args:
        inputs: An input description, a shape (read as `Array(shape)`), or a dict of these.
        outputs: An output description or a dict of them.
        name: Name of the model.
        dtype: Dtype policy of all layers. Default: the global policy.
        **sizes: The arguments of `Sizes`: `num_latents`, `latent_dim`, ...

    Attributes:
        input_descriptions: The inputs by name, bound to this model.
        output_descriptions: The outputs by name, bound to this model.
        sizes: `Sizes`.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.
        TypeError: if a keyword is unknown; suggests the closest known keyword.

    Example:

    >>> model = kp.Perceiver((28, 28, 1), kp.Classes(10), num_latents=32, latent_dim=64)
    >>> latents = model.get_layer("encoder")(images)  # (batch, 32, 64)

    Reference: Perceiver (arXiv 2103.03206), section 3 and figure 1; Perceiver IO
    (arXiv 2107.14795), section 3 and figure 2.
    """

    def __init__(self, *args, **kwargs):
        # `*args, **kwargs`, because `clone_model` turns a model whose constructor does not take
        # them into a plain functional model. `__signature__` below shows the real arguments.
        if len(args) == 2 and isinstance(args[1], Clone):
            args, kwargs = (), _deserialized(args[1].config)
        trainable = kwargs.pop("trainable", True)
        self._assemble(*args, **kwargs)
        self.trainable = trainable

    @arguments.takes_also(Sizes)
    def _assemble(self, inputs, outputs, *, name="perceiver", dtype=None, **sizes):
        check_model_name(name)
        sizes = Sizes(**sizes)
        dtype = dtype_policy(dtype)
        given = {"inputs": inputs, "outputs": outputs}
        bound_inputs = as_inputs(inputs, dtype)
        bound_outputs = as_outputs(outputs, bound_inputs, sizes.latent_dim)
        check_tensor_names(bound_inputs, bound_outputs)
        sizes.check_mask_probs(bound_inputs)

        encoder = make_encoder(bound_inputs, sizes, dtype, inputs)
        for output in bound_outputs.values():
            output.make_layers(dtype)
        decoder = make_decoder(bound_outputs, encoder.output, sizes, dtype, outputs)

        # Both together. Inputs that the encoder and the decoder share are taken once.
        raw = {tensor.name: tensor for tensor in (*decoder.inputs, *encoder.inputs)}
        raw["latents"] = encoder(as_given(inputs, _taken(encoder, raw)))
        results = decoder(as_given(None, _taken(decoder, raw)))
        del raw["latents"]
        super().__init__(as_given(inputs, raw), results, name=name)

        self.input_descriptions, self.output_descriptions = bound_inputs, bound_outputs
        self.sizes = sizes
        self._given = _serialized({**given, "dtype": dtype})
        self._checks = InputChecks(
            self.inputs, isinstance(self.input, dict), bound_inputs, bound_outputs
        )
        self._encoder_checks = InputChecks(
            encoder.inputs, isinstance(encoder.input, dict), bound_inputs, bound_outputs
        )
        self._chunked_decoder = ChunkedDecoder(decoder, bound_outputs)
        if sizes.initialization == "local":
            start_locally(encoder, decoder, bound_inputs, bound_outputs)

    def _run_through_graph(self, inputs, operation_fn=lambda layer: layer, call_fn=None):
        if is_cloning(operation_fn):
            return Clone(self, operation_fn, call_fn)
        return super()._run_through_graph(inputs, operation_fn, call_fn)

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(self.check_inputs(inputs), *args, **kwargs)

    def check_inputs(self, inputs):
        """Returns `inputs`, with missing modalities filled in.

        Raises:
            ValueError: if an entry is wrong; names it, the expected and the received value.
        """
        return self._checks(inputs)

    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        check_losses(loss, self.output_descriptions)
        self._loss = loss
        super().compile(optimizer, loss, *args, **kwargs)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def fit(self, x=None, y=None, *args, **kwargs):
        if hasattr(x, "element_spec") and not args:
            kwargs.setdefault("shuffle", False)  # Keras warns about shuffle=True with a pipeline
        x = self._checks.arrays(x)
        self._check_targets(y)
        adapting.adapt_before_fit(self, x)
        try:
            return super().fit(x, y, *args, **kwargs)
        except Exception:
            # A function whose tracing failed cannot create its variables when it is called again.
            self.train_function = self.test_function = None
            raise

    def evaluate(self, x=None, y=None, *args, **kwargs):
        x = self._checks.arrays(x)
        self._check_targets(y)
        return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        return super().predict(self._checks.arrays(x), *args, **kwargs)

    def _check_targets(self, y):
        if y is not None and self.compiled:
            is_dict = isinstance(self.output, dict)
            check_targets(y, self._loss, self.output_descriptions, is_dict)

    def adapt(self, data, batches=adapting.MOST_BATCHES):
        """Measures the statistics of inputs with `normalize=True`, by which they are standardised.

        The first `fit` does this, unless its data are a generator, which can be read only once. The
        statistics are weights: they are saved with the model, and training does not change them.
        `train_on_batch` and training loops of your own need this call before.

        Args:
            data: The training data: the model's inputs as arrays, or a tf.data.Dataset or
                keras.utils.PyDataset of batches `(inputs, targets)` or `inputs`.
            batches: How many batches of a pipeline are read, at most. Of arrays, at most 10,000
                examples are read, evenly spaced.

        Raises:
            ValueError: if no input has `normalize=True`, or `data` are of another type, or a
                channel has no finite value. The model is then as before.

        Example:

        >>> model = kp.build_classifier(kp.Array((150, 1), normalize=True), num_classes=2)
        >>> model.adapt(series)
        """
        adapting.adapt(self, data, batches)

    def encode(self, inputs, batch_size=None):
        """The latents of `inputs`, as NumPy floats `(batch, num_latents, latent_dim)`.

        Args:
            inputs: The model's inputs; entries that only outputs need may be left out.
            batch_size: Examples that are computed at a time. Default: 32.

        Raises:
            ValueError: if `inputs` do not fit the encoder.
        """
        arguments.optional_whole_number("batch_size", batch_size)
        return self.encoder.predict(self._encoder_checks(inputs), batch_size=batch_size, verbose=0)

    def decode(self, latents, output=None, inputs=None, indices=None, chunk_size=None):
        """Decodes latents from `encode`, optionally in chunks of queries.

        The result is the same as that of the whole model, for any chunk size; only one chunk of
        queries is in memory at a time.

        Args:
            latents: Floats `(batch, num_latents, latent_dim)`.
            output: Name of an output. Default: all outputs.
            inputs: A dict of the model's inputs from which this output's queries are computed:
                `<name>_points` for `AtPoints`, the raw input for `PerInput` and `Tokens`.
            indices: Whole numbers `(n,)` or `(batch, n)`: decode only these queries.
            chunk_size: Number of queries per chunk. Default: all queries.

        Returns:
            NumPy array of the shape of that output, or with `indices` `(batch, n, ...)`; a dict of
            arrays if the model has a dict of outputs and `output` is None.

        Raises:
            ValueError: if `chunk_size` is not at least 1, there is no such output, a needed entry
                of `inputs` is missing, or `indices` are given for an output that combines several
                queries (`MeanOverInputs`, and `Flow` with upsampling).

        Example:

        >>> latents = model.encode(clips)
        >>> model.decode(latents, output="video", chunk_size=16384)

        Reference: Perceiver IO (arXiv 2107.14795), section 4.3 (decoding 803,297 elements).
        """
        return self._chunked_decoder.decode(latents, output, inputs, indices, chunk_size)

    def queries(self, output, latents, inputs, indices):
        """Some queries of an output, as the decoder reads them.

        Args:
            output: Name of an output that does not pool the latents.
            latents: Array `(batch, num_latents, latent_dim)`.
            inputs: A dict of the model's inputs; those that the queries need are used.
            indices: Whole numbers `(batch, n)`.

        Returns:
            The array `(batch, n, query_dim)`, and booleans `(batch, n)` or None: False for queries
            that do not attend.
        """
        return self._chunked_decoder.queries(output, latents, inputs, indices)

    def save_to_preset(self, directory, overwrite: bool = False):
        """Writes the model as a directory that `kp.from_preset` reads, in KerasHub's layout.

        `config.json` (the model and how it is compiled), `metadata.json` (versions and checksums),
        `model.weights.h5` (all weights, without the optimizer's), `preprocessor.json` (if the model
        has a `preparation`) and `README.md` (a model card to fill in). All files are written to a
        temporary folder first.

        Args:
            directory: A new or empty folder.
            overwrite: Whether the files of a model in that folder are replaced.

        Raises:
            ValueError: if `directory` is not such a folder, or layers of the model were changed
                after it was built, by LoRA or quantization. Nothing is written.

        Example:

        >>> model.save_to_preset("flowers")
        >>> model = kp.from_preset("flowers")
        """
        save_preset(self, directory, overwrite)

    preparation = None  # a layer from raw data to the model's inputs; see `kp.preparation`
    chosen = {}  # {argument: (value, reason)} of sizes that a builder chose

    def summary(self, *args, print_fn=None, **kwargs):
        """As of `keras.Model`, and which sizes the builder chose, and why."""
        super().summary(*args, print_fn=print_fn, **kwargs)
        for name, (value, reason) in self.chosen.items():
            line = f"chosen: {name}={value!r}, as {reason}"
            print(line) if print_fn is None else print_fn(line)

    def forget_compiled_parts(self):
        """Drops the compiled functions of `decode`; called after layers were changed in place."""
        self._chunked_decoder.forget_compiled()

    @property
    def encoder(self):
        """The functional model from raw inputs to latents."""
        return self.get_layer("encoder")

    @property
    def decoder(self):
        """The functional model from latents to outputs."""
        return self.get_layer("decoder")

    def get_config(self):
        return {
            **self._given,
            **self.sizes.config(),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**_deserialized(config, custom_objects))


def _taken(model, tensors):
    """The tensors that a functional model takes, by name, in the order of its inputs."""
    return {tensor.name: tensors[tensor.name] for tensor in model.inputs}


def _serialized(given):
    return {key: keras.saving.serialize_keras_object(value) for key, value in given.items()}


def _deserialized(config, custom_objects=None):
    objects = {
        key: keras.saving.deserialize_keras_object(config[key], custom_objects)
        for key in ("inputs", "outputs", "dtype", "activation")
    }
    return {**config, **objects}


_all_arguments = inspect.signature(Perceiver._assemble).parameters.values()
Perceiver.__signature__ = inspect.Signature([p for p in _all_arguments if p.name != "self"])
