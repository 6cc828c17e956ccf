"""All sizes and their defaults, in one place."""

import dataclasses

from keras_perceiver import arguments
from keras_perceiver.layers.activations import get_activation, serialize_activation
from keras_perceiver.layers.ways import WAYS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of a Perceiver, the weights that it shares, and how it computes attention.

    `kp.Perceiver`, every builder, `kp.costs` and `kp.tuning` take these arguments with these
    defaults. The defaults give a small model; `keras_perceiver.presets` has the papers' sizes.

    Args:
        num_latents: Number of latents.
        latent_dim: Width of the latents.
        num_cross_attends: Number of times the latents attend to the inputs.
        share_cross_attends: Whether cross-attends 2, 3, ... share one set of weights.
        share_first_cross_attend: Whether the first cross-attend shares this set too (the paper
            calls this unstable).
        share_latent_transformers: Whether the latent Transformers share one set of weights.
        num_blocks: Number of times each latent Transformer runs, with the same weights.
        num_self_attends_per_block: Number of layers of each latent Transformer.
        num_cross_attention_heads: Heads of the encoder's cross-attention.
        num_self_attention_heads: Heads of the latent Transformers.
        qk_channels: Width of queries and keys in all attention layers of the encoder. Default: the
            width of the inputs in cross-attention, of the latents in self-attention.
        v_channels: Width of values in the encoder. Default: `qk_channels`.
        cross_attention_widening_factor: Hidden width of the feed-forward block after the encoder's
            cross-attention, as a multiple of the width of the latents.
        self_attention_widening_factor: The same for the latent Transformers.
        num_decoder_heads: Heads of the decoder's cross-attention.
        decoder_qk_channels: Width of queries and keys in the decoder. Default: the width of the
            latents.
        decoder_v_channels: Width of values in the decoder. Default: `decoder_qk_channels`.
        decoder_output_dim: Width of a dense layer between decoder and heads, or None for no layer.
        use_query_residual: Whether the decoder adds the queries to its attention output.
        min_input_padding: With several inputs, the learned padding of the widest input; see
            `CommonWidth`.
        min_query_padding: With several outputs, the learned padding of the widest queries.
        mask_probs: A dict from names of inputs to the probability that a vector is replaced by a
            mask token; only with several inputs. See `CommonWidth`.
        dropout: Dropout rate for the outputs of attention and feed-forward blocks.
        attention_dropout: Dropout rate for the attention weights.
        activation: "gelu_tanh" (DeepMind), "gelu_erf" (Hugging Face) or any Keras activation.
        masked_rows: Attention output of a query whose keys are all masked: "zero" (DeepMind) or
            "uniform", the mean of all values (Hugging Face).
        attention: How attention is computed in the encoder, the decoder and the latent
            Transformers: "plain", "chunked", "separable", or "auto", which chooses the best way.
            Outputs and weights are the same; see `keras_perceiver.layers.ways`.
        recompute: Whether training recomputes the activations inside the latent Transformers'
            layers instead of keeping them; see `LatentTransformer`.
        initialization: Initial values. "local": latents and queries start by attending to places
            of their own; builders choose it. "papers": all attend almost evenly. Layers and counts
            are the same; see `keras_perceiver.models.local_start`.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.

    Reference: Perceiver (arXiv 2103.03206), appendix C; Perceiver IO (arXiv 2107.14795),
    appendix E.
    """

    num_latents: int = 32
    latent_dim: int = 128
    num_cross_attends: int = 1
    share_cross_attends: bool = True
    share_first_cross_attend: bool = False
    share_latent_transformers: bool = True
    num_blocks: int = 1
    num_self_attends_per_block: int = 4
    num_cross_attention_heads: int = 1
    num_self_attention_heads: int = 4
    qk_channels: int | None = None
    v_channels: int | None = None
    cross_attention_widening_factor: int = 1
    self_attention_widening_factor: int = 1
    num_decoder_heads: int = 1
    decoder_qk_channels: int | None = None
    decoder_v_channels: int | None = None
    decoder_output_dim: int | None = None
    use_query_residual: bool = False
    min_input_padding: int = 2
    min_query_padding: int = 2
    mask_probs: dict | None = None
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation: object = "gelu_tanh"
    masked_rows: str = "zero"
    attention: str = "auto"
    recompute: bool = False
    initialization: str = "papers"

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is bool:
                arguments.flag(field.name, value)
            elif field.type is int:
                least = 0 if field.name.startswith("min_") else 1
                arguments.whole_number(field.name, value, least)
            elif field.type == int | None:
                arguments.optional_whole_number(field.name, value)
            elif field.type is float:
                arguments.fraction(field.name, value)
        if self.mask_probs is not None and not isinstance(self.mask_probs, dict):
            raise ValueError(
                "`mask_probs` must be a dict from names of inputs to probabilities. Received: "
                f"mask_probs={self.mask_probs!r}"
            )
        get_activation(self.activation)
        arguments.one_of("masked_rows", self.masked_rows, ("zero", "uniform"))
        arguments.one_of("attention", self.attention, WAYS)
        arguments.one_of("initialization", self.initialization, ("local", "papers"))
        if self.qk_channels is None:
            self._must_divide("latent_dim", self.latent_dim, "num_self_attention_heads")
        for name in ("qk_channels", "v_channels"):
            for heads in ("num_cross_attention_heads", "num_self_attention_heads"):
                self._must_divide(name, getattr(self, name), heads)
        for name in ("decoder_qk_channels", "decoder_v_channels"):
            self._must_divide(name, getattr(self, name), "num_decoder_heads")
        if self.decoder_qk_channels is None:
            self._must_divide("latent_dim", self.latent_dim, "num_decoder_heads")

    def _must_divide(self, name, value, heads):
        if value is not None:
            arguments.divisible(name, value, heads, getattr(self, heads))

    def check_mask_probs(self, inputs):
        """Raises ValueError unless `mask_probs` fits the model's inputs by name."""
        if self.mask_probs is None:
            return
        unknown = sorted(set(self.mask_probs) - set(inputs), key=repr)
        if unknown:
            raise ValueError(
                f"`mask_probs` must name inputs among {sorted(inputs)}. Received: mask_probs for "
                f"{unknown}"
            )
        for name, probability in self.mask_probs.items():
            probability = arguments.number(
                f"mask_probs[{name!r}]", probability, at_least=0, at_most=1
            )
            if probability and len(inputs) == 1:
                raise ValueError(
                    "`mask_probs` can only be used with several inputs. Received: "
                    f"mask_probs={self.mask_probs!r} for the only input {name!r}"
                )

    def config(self):
        """The arguments as serializable values, for `get_config`."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if callable(self.activation):
            found["activation"] = serialize_activation(self.activation)
        return found
