"""The wiring of both papers, on one page."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.activations import serialize_activation
from keras_perceiver.layers.latent_transformer import LatentTransformer
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.output_query_decoder import OutputQueryDecoder
from keras_perceiver.layers.split_lengths import SplitLengths
from keras_perceiver.models.attention_choice import choose_attention, queries_apart
from keras_perceiver.models.descriptions import as_inputs, as_outputs, like
from keras_perceiver.models.encoder_inputs import EncoderInputs, joined
from keras_perceiver.models.input_checks import check_arrays, checked
from keras_perceiver.models.parts import Parts


@keras.saving.register_keras_serializable(package="keras_perceiver")
class Perceiver(keras.Model):
    """Perceiver and Perceiver IO: inputs -> latents -> outputs.

    A functional model of two nested functional models: `encoder` (raw inputs to latents) and
    `decoder` (latents to outputs).

    Perceiver 1 is `num_cross_attends` > 1 with an output that pools the latents: each
    cross-attend is followed by the latent Transformer. By default the first cross-attend has its
    own weights, the others share one set, and all latent Transformers share one.
    Perceiver IO is `num_cross_attends` = 1 with outputs that query the latents.

    Args:
        inputs: An input description, a shape (read as `Array(shape)`), or a dict of these.
        outputs: An output description or a dict of them.
        num_latents, latent_dim: Number and width of the latents.
        num_cross_attends: How often the latents read the inputs.
        share_cross_attends: Whether cross-attends 2, 3, ... share one set of weights.
        share_first_cross_attend: Whether the first one shares that set too (unstable, says the
            paper).
        share_latent_transformers: Whether the latent Transformers share one set of weights.
        num_blocks: How often each latent Transformer runs, with the same weights.
        num_self_attends_per_block: Layers of each latent Transformer.
        num_cross_attention_heads, num_self_attention_heads: Numbers of heads in the encoder.
        qk_channels, v_channels: Widths inside all attention of the encoder. Defaults: the width of
            the inputs in cross-attention, of the latents in self-attention.
        cross_attention_widening_factor, self_attention_widening_factor: Hidden widths of the
            feed-forward blocks over the width of the latents.
        num_decoder_heads, decoder_qk_channels, decoder_v_channels: The same for the decoder,
            where widths default to the width of the latents.
        decoder_output_dim: Width of a dense layer between decoder and heads, or None for none.
        use_query_residual: Whether the decoder adds queries to what they read.
        min_input_padding, min_query_padding: With several inputs or outputs, the learned padding
            of the widest one; see `CommonWidth`.
        mask_probs: With several inputs, how often each is replaced by its mask token; see
            `CommonWidth`.
        dropout, attention_dropout, activation, masked_rows: As in `CrossAttention`, for all blocks.
        attention: How the encoder's cross-attention is computed: "plain" (all scores at once),
            "separable" (see `SeparableCrossAttention`), "chunked" (a piece of the scores at a
            time), or "auto", the best that applies. The answers and weights are the same.
        recompute: Whether training computes the inside of the latent Transformers' layers twice
            instead of keeping it; see `LatentTransformer`.
        dtype: Dtype policy of all layers. Default: the global one.

    Raises:
        ValueError: names the argument, what was wanted and what came.

    Example:

    >>> model = Perceiver((28, 28, 1), Classes(10), num_latents=32, latent_dim=64)
    >>> latents = model.get_layer("encoder")(images)  # (batch, 32, 64)

    Reference: Perceiver (arXiv 2103.03206), section 3 and figure 1; Perceiver IO
    (arXiv 2107.14795), section 3 and figure 2.
    """

    def __init__(
        self,
        inputs,
        outputs,
        num_latents=64,
        latent_dim=128,
        num_cross_attends=1,
        share_cross_attends=True,
        share_first_cross_attend=False,
        share_latent_transformers=True,
        num_blocks=1,
        num_self_attends_per_block=6,
        num_cross_attention_heads=1,
        num_self_attention_heads=8,
        qk_channels=None,
        v_channels=None,
        cross_attention_widening_factor=1,
        self_attention_widening_factor=1,
        num_decoder_heads=1,
        decoder_qk_channels=None,
        decoder_v_channels=None,
        decoder_output_dim=None,
        use_query_residual=False,
        min_input_padding=2,
        min_query_padding=2,
        mask_probs=None,
        dropout=0.0,
        attention_dropout=0.0,
        activation="gelu_tanh",
        masked_rows="zero",
        attention="auto",
        recompute=False,
        name="perceiver",
        dtype=None,
        **kwargs,
    ):
        config = {k: v for k, v in locals().items() if k not in ("self", "kwargs", "__class__")}
        arguments.whole_number("num_latents", num_latents)
        arguments.whole_number("latent_dim", latent_dim)
        arguments.whole_number("num_cross_attends", num_cross_attends)
        arguments.whole_number("num_self_attention_heads", num_self_attention_heads)
        if qk_channels is None:
            arguments.divisible(
                "latent_dim", latent_dim, "num_self_attention_heads", num_self_attention_heads
            )
        dtype = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
        block = {
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation": activation,
            "masked_rows": masked_rows,
            "chunked": False if attention == "plain" else None,
            "dtype": dtype,
        }
        cross_block = {**block, "chunked": True} if attention == "chunked" else block
        readers = as_inputs(inputs, dtype)
        outputs_by_name = as_outputs(outputs, readers)

        # The encoder: latents read the inputs, then think; once, or several times (Perceiver 1).
        raw = {k: v for key, reader in readers.items() for k, v in reader.raw_inputs(key).items()}
        encoder_attention = choose_attention(
            attention,
            readers,
            mask_probs,
            num_latents,
            num_cross_attention_heads,
            attention_dropout,
        )
        one_head = num_cross_attention_heads == 1 and not attention_dropout
        to_read = EncoderInputs(
            readers, raw, encoder_attention, one_head, min_input_padding, mask_probs, dtype
        )
        latents = LearnedArray(num_latents, latent_dim, name="latents", dtype=dtype)(to_read.first)
        for i in range(num_cross_attends):
            if i == 0 or not share_cross_attends or (i == 1 and not share_first_cross_attend):
                cross_attend = to_read.attention(
                    num_heads=num_cross_attention_heads,
                    qk_channels=qk_channels,
                    v_channels=v_channels,
                    widening_factor=cross_attention_widening_factor,
                    name=_numbered("encoder_cross_attention", i),
                    **cross_block,
                )
            if i == 0 or not share_latent_transformers:
                latent_transformer = LatentTransformer(
                    num_self_attends_per_block=num_self_attends_per_block,
                    num_blocks=num_blocks,
                    num_heads=num_self_attention_heads,
                    qk_channels=qk_channels,
                    v_channels=v_channels,
                    widening_factor=self_attention_widening_factor,
                    recompute=recompute,
                    name=_numbered("latent_transformer", i),
                    **block,
                )
            # A set of weights that reads again has the same keys and values each time.
            again = share_cross_attends and (share_first_cross_attend or i > 0)
            latents = latent_transformer(
                to_read.read(cross_attend, latents, again and i + 1 < num_cross_attends)
            )
        encoder = keras.Model(like(inputs, raw), latents, name="encoder")

        # The decoder: output queries read the latents, or the latents are averaged (Perceiver 1).
        latents = keras.Input((num_latents, latent_dim), name="latents", dtype=latents.dtype)
        sources, queries, masks, decoded, layers = {}, {}, {}, {}, {}
        for key, output in outputs_by_name.items():
            if output.pools_latents:
                mean = keras.layers.GlobalAveragePooling1D(name=f"{key}_mean", dtype=dtype)
                decoded[key] = mean(latents)
                continue
            own = {k: v for k, v in output.sources(key, readers).items() if k not in sources}
            sources.update(own)
            layers[key] = output.query_layer(key, readers, latent_dim, dtype)
            queries[key] = output.queries(layers[key], key, readers, latents, sources)
            masks[key] = output.query_mask(key, readers, sources, queries[key])
        if queries:
            query, mask = joined(queries, masks, "queries", min_query_padding, None, dtype)
            position = None
            one_head = num_decoder_heads == 1 and not attention_dropout
            if len(queries) == 1 and mask is None and queries_apart(attention, one_head, query):
                (key,) = queries
                found = outputs_by_name[key].queries_apart(
                    layers[key], key, readers, latents, sources
                )
                query, position = (query, None) if found is None else found
            output_query_decoder = OutputQueryDecoder(
                output_dim=decoder_output_dim,
                num_heads=num_decoder_heads,
                qk_channels=decoder_qk_channels,
                v_channels=decoder_v_channels,
                use_query_residual=use_query_residual,
                position=position,
                name="output_query_decoder",
                **cross_block,
            )
            answers = output_query_decoder(query, latents, query_mask=mask)
            if len(queries) > 1:
                decoded.update(SplitLengths(name="answers", dtype=dtype)(answers, parts=queries))
            else:
                decoded.update(dict.fromkeys(queries, answers))
        results, heads = {}, {}
        for key, output in outputs_by_name.items():
            heads[key] = output.head_layer(key, readers, dtype)
            results[key] = output.answer(heads[key], key, readers, decoded[key])
        decoder = keras.Model(
            like(None, {"latents": latents, **sources}), like(outputs, results), name="decoder"
        )

        # Both together. Sources that are raw inputs too are fed once.
        raw = {**sources, **raw}
        encoded = encoder(like(inputs, {key: raw[key] for key in _names(encoder)}))
        sources = {key: raw[key] for key in sources}
        answer = decoder(like(None, {"latents": encoded, **sources}))
        super().__init__(like(inputs, raw), answer, name=name, **kwargs)
        self._description = _serialized(config, dtype)
        self._parts = Parts(self, readers, outputs_by_name, layers, heads)

    def __call__(self, inputs, *args, **kwargs):
        specs = {tensor.name: tensor for tensor in self.inputs}
        inputs = checked(specs, isinstance(self.input, dict), inputs)
        return super().__call__(inputs, *args, **kwargs)

    def fit(self, x=None, *args, **kwargs):
        self._check_arrays(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        self._check_arrays(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        self._check_arrays(x)
        return super().predict(x, *args, **kwargs)

    def _check_arrays(self, x):
        specs = {tensor.name: tensor for tensor in self.inputs}
        check_arrays(specs, isinstance(self.input, dict), x)

    def encode(self, inputs, batch_size=None):
        """The latents of `inputs`, as NumPy floats `(batch, num_latents, latent_dim)`.

        Args:
            inputs: What the model takes; what only outputs need may be left out.
            batch_size: Examples at a time. Default: 32.
        """
        specs = {tensor.name: tensor for tensor in self.encoder.inputs}
        inputs = checked(specs, isinstance(self.encoder.input, dict), inputs)
        return self.encoder.predict(inputs, batch_size=batch_size, verbose=0)

    def decode(self, latents, output=None, inputs=None, indices=None, chunk_size=None):
        """Decodes latents from `encode`, as often and in as small pieces as wanted.

        The result is what the whole model gives, whatever the chunk size; only one chunk of
        queries is in memory at a time.

        Args:
            latents: Floats `(batch, num_latents, latent_dim)`.
            output: Name of an output. Default: all of them.
            inputs: A dict of the model's inputs that this output's queries are made of:
                `<name>_points` for `AtPoints`, the raw input for `PerInput` and `Tokens`.
            indices: Whole numbers `(n,)` or `(batch, n)`: decode these queries only.
            chunk_size: Queries at a time. Default: all at once.

        Returns:
            NumPy array of the shape the model gives for that output, or with `indices`
            `(batch, n, ...)`; a dict of them where the model has a dict of outputs and `output` is
            None.

        Raises:
            ValueError: if `chunk_size` is not at least 1, there is no such output, or something
                needed is not among `inputs`.

        Example:

        >>> latents = model.encode(clips)
        >>> model.decode(latents, output="video", chunk_size=16384)

        Reference: Perceiver IO (arXiv 2107.14795), section 4.3 (decoding 803,297 elements).
        """
        return self._parts.decode(latents, output, inputs, indices, chunk_size)

    @property
    def sampled_outputs(self):
        """For each output with `num_decoded`: that, the number of all queries, if it is a class."""
        return self._parts.sampled()

    @property
    def encoder(self):
        """The functional model from raw inputs to latents."""
        return self.get_layer("encoder")

    @property
    def decoder(self):
        """The functional model from latents to outputs."""
        return self.get_layer("decoder")

    def get_config(self):
        return {**self._description, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        trainable = config.pop("trainable", True)
        for key in ("inputs", "outputs", "dtype", "activation"):
            config[key] = keras.saving.deserialize_keras_object(config[key], custom_objects)
        model = cls(**config)
        model.trainable = trainable
        return model


def _serialized(config, dtype):
    config = {**config, "dtype": dtype}
    if callable(config["activation"]):
        config["activation"] = serialize_activation(config["activation"])
    for key in ("inputs", "outputs", "dtype"):
        config[key] = keras.saving.serialize_keras_object(config[key])
    return config


def _names(model):
    return [tensor.name for tensor in model.inputs]


def _numbered(name, index):
    return name if index == 0 else f"{name}_{index + 1}"
