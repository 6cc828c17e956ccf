"""The wiring of both papers, on one page."""

import keras

from keras_perceiver import arguments
from keras_perceiver.layers.activations import serialize_activation
from keras_perceiver.layers.common_width import CommonWidth
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.latent_transformer import LatentTransformer
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.output_query_decoder import OutputQueryDecoder
from keras_perceiver.layers.split_lengths import SplitLengths
from keras_perceiver.models.descriptions import as_inputs, as_outputs, like


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
            "dtype": dtype,
        }
        readers = as_inputs(inputs, dtype)
        outputs_by_name = as_outputs(outputs, readers)

        # The encoder: latents read the inputs, then think; once, or several times (Perceiver 1).
        raw = {k: v for key, reader in readers.items() for k, v in reader.raw_inputs(key).items()}
        arrays = {key: reader.read(raw, key) for key, reader in readers.items()}
        array = like(inputs, arrays)
        if isinstance(array, dict) and len(array) == 1:
            (array,) = array.values()
        elif isinstance(array, dict):
            array = CommonWidth(min_input_padding, mask_probs, name="inputs", dtype=dtype)(array)
        latents = LearnedArray(num_latents, latent_dim, name="latents", dtype=dtype)(array)
        for i in range(num_cross_attends):
            if i == 0 or not share_cross_attends or (i == 1 and not share_first_cross_attend):
                cross_attend = CrossAttention(
                    num_heads=num_cross_attention_heads,
                    qk_channels=qk_channels,
                    v_channels=v_channels,
                    widening_factor=cross_attention_widening_factor,
                    name=_numbered("encoder_cross_attention", i),
                    **block,
                )
            if i == 0 or not share_latent_transformers:
                latent_transformer = LatentTransformer(
                    num_self_attends_per_block=num_self_attends_per_block,
                    num_blocks=num_blocks,
                    num_heads=num_self_attention_heads,
                    qk_channels=qk_channels,
                    v_channels=v_channels,
                    widening_factor=self_attention_widening_factor,
                    name=_numbered("latent_transformer", i),
                    **block,
                )
            latents = latent_transformer(cross_attend(latents, array))
        encoder = keras.Model(like(inputs, raw), latents, name="encoder")

        # The decoder: output queries read the latents, or the latents are averaged (Perceiver 1).
        latents = keras.Input((num_latents, latent_dim), name="latents", dtype=latents.dtype)
        sources, queries, decoded = {}, {}, {}
        for key, output in outputs_by_name.items():
            if output.pools_latents:
                mean = keras.layers.GlobalAveragePooling1D(name=f"{key}_mean", dtype=dtype)
                decoded[key] = mean(latents)
                continue
            sources.update(output.sources(key, readers))
            layer = output.query_layer(key, readers, latent_dim, dtype)
            queries[key] = output.queries(layer, key, readers, latents, sources)
        if queries:
            output_query_decoder = OutputQueryDecoder(
                output_dim=decoder_output_dim,
                num_heads=num_decoder_heads,
                qk_channels=decoder_qk_channels,
                v_channels=decoder_v_channels,
                use_query_residual=use_query_residual,
                name="output_query_decoder",
                **block,
            )
            if len(queries) == 1:
                ((key, query),) = queries.items()
                decoded[key] = output_query_decoder(query, latents)
            else:
                query = CommonWidth(min_query_padding, name="queries", dtype=dtype)(queries)
                answers = output_query_decoder(query, latents)
                decoded.update(SplitLengths(name="answers", dtype=dtype)(answers, queries))
        results = {}
        for key, output in outputs_by_name.items():
            layer = output.head_layer(key, readers, dtype)
            results[key] = output.answer(layer, key, readers, decoded[key])
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
