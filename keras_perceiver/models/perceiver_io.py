"""Any inputs, any outputs."""

from keras_perceiver import arguments
from keras_perceiver.models.compiling import compile_model
from keras_perceiver.models.perceiver import Perceiver


@arguments.explain_unknown
def build_perceiver_io(
    inputs,
    outputs,
    *,
    num_latents: int = 32,
    latent_dim: int = 128,
    num_cross_attends: int = 1,
    share_cross_attends: bool = True,
    share_first_cross_attend: bool = False,
    share_latent_transformers: bool = True,
    num_blocks: int = 1,
    num_self_attends_per_block: int = 4,
    num_cross_attention_heads: int = 1,
    num_self_attention_heads: int = 4,
    qk_channels: int | None = None,
    v_channels: int | None = None,
    cross_attention_widening_factor: int = 1,
    self_attention_widening_factor: int = 1,
    num_decoder_heads: int = 1,
    decoder_qk_channels: int | None = None,
    decoder_v_channels: int | None = None,
    decoder_output_dim: int | None = None,
    use_query_residual: bool = False,
    min_input_padding: int = 2,
    min_query_padding: int = 2,
    mask_probs: dict | None = None,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    activation="gelu_tanh",
    masked_rows: str = "zero",
    attention: str = "auto",
    recompute: bool = False,
    dtype=None,
    compile: bool = True,
    optimizer=None,
    learning_rate=1e-3,
    loss=None,
    loss_weights=None,
    metrics=None,
    jit_compile="auto",
    name: str = "perceiver_io",
):
    """Builds and compiles a Perceiver IO from descriptions of what goes in and what comes out.

    Args:
        inputs: An input description, a shape (read as `Array(shape)`), or a dict of these by
            name. The model takes an array, or a dict with an entry for each name; some
            descriptions add entries such as `<name>_mask`.
        outputs: An output description, or a dict of them by name. The model gives an array or a
            dict with the same names, which targets have too.
        num_latents, latent_dim, num_cross_attends, share_cross_attends,
        share_first_cross_attend, share_latent_transformers, num_blocks,
        num_self_attends_per_block, num_cross_attention_heads, num_self_attention_heads,
        qk_channels, v_channels, cross_attention_widening_factor,
        self_attention_widening_factor, num_decoder_heads, decoder_qk_channels,
        decoder_v_channels, decoder_output_dim, use_query_residual, min_input_padding,
        min_query_padding, mask_probs, dropout, attention_dropout, activation, masked_rows,
        attention, recompute, dtype: See `Perceiver`.
        compile: Whether to compile the model.
        optimizer: Default: AdamW with `learning_rate` and a weight decay of 0.01 on kernels and
            tables.
        learning_rate: A number or a Keras schedule, for the default optimizer.
        loss, metrics: Default: those of the outputs. Otherwise as in `keras.Model.compile`.
        loss_weights: A number for each output by name. Default: 1 each.
        jit_compile: See `keras.Model.compile`. Default: Keras' choice, but no XLA on CPUs for
            large inputs and for bfloat16, which are faster without (see benchmarks/NOTES.md).
        name: Name of the model.

    Returns:
        A `Perceiver`.

    Raises:
        ValueError: names the argument, what was wanted and what came.
        TypeError: if a keyword is unknown; names the nearest one.

    Example:

    >>> model = kp.build_perceiver_io(
    ...     inputs={"image": kp.Image(64, 64), "age": kp.Labels(1)},
    ...     outputs={"diagnosis": kp.Classes(5), "lesion": kp.Grid((64, 64), num_classes=2)},
    ...     loss_weights={"diagnosis": 1.0, "lesion": 0.1})
    >>> model.fit(dataset)  # of ({"image", "age"}, {"diagnosis", "lesion"})

    Reference: Perceiver IO (arXiv 2107.14795), section 3.
    """
    model = Perceiver(
        inputs,
        outputs,
        num_latents=num_latents,
        latent_dim=latent_dim,
        num_cross_attends=num_cross_attends,
        share_cross_attends=share_cross_attends,
        share_first_cross_attend=share_first_cross_attend,
        share_latent_transformers=share_latent_transformers,
        num_blocks=num_blocks,
        num_self_attends_per_block=num_self_attends_per_block,
        num_cross_attention_heads=num_cross_attention_heads,
        num_self_attention_heads=num_self_attention_heads,
        qk_channels=qk_channels,
        v_channels=v_channels,
        cross_attention_widening_factor=cross_attention_widening_factor,
        self_attention_widening_factor=self_attention_widening_factor,
        num_decoder_heads=num_decoder_heads,
        decoder_qk_channels=decoder_qk_channels,
        decoder_v_channels=decoder_v_channels,
        decoder_output_dim=decoder_output_dim,
        use_query_residual=use_query_residual,
        min_input_padding=min_input_padding,
        min_query_padding=min_query_padding,
        mask_probs=mask_probs,
        dropout=dropout,
        attention_dropout=attention_dropout,
        activation=activation,
        masked_rows=masked_rows,
        attention=attention,
        recompute=recompute,
        dtype=dtype,
        name=name,
    )
    if compile:
        compile_model(
            model, outputs, optimizer, learning_rate, loss, metrics, jit_compile, loss_weights
        )
    return model
