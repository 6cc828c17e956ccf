"""A classifier of anything on a grid, or of any described input."""

from keras_perceiver import arguments
from keras_perceiver.models.compiling import compile_model
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.outputs.classes import Classes


@arguments.explain_unknown
def build_classifier(
    inputs,
    num_classes,
    *,
    multi_label: bool = False,
    head: str = "query",
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
    use_query_residual: bool = True,
    query_dim: int | None = None,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    activation="gelu_tanh",
    masked_rows: str = "zero",
    dtype=None,
    compile: bool = True,
    optimizer=None,
    learning_rate=1e-3,
    loss=None,
    metrics=None,
    jit_compile="auto",
    name: str = "perceiver_classifier",
):
    """Builds and compiles a Perceiver that classifies.

    Args:
        inputs: The shape of one example, `(length, channels)`, `(height, width, channels)`,
            `(frames, height, width, channels)`, ..., read as a grid with Fourier positions; or
            an input description, or a dict of them by name.
        num_classes: Number of classes.
        multi_label: Whether an example may have any number of classes. Targets are then zeros
            and ones `(batch, num_classes)`, otherwise whole numbers `(batch,)`.
        head: "query" (Perceiver IO) or "mean" (Perceiver); see `Classes`.
        num_latents, latent_dim, num_cross_attends, share_cross_attends,
        share_first_cross_attend, share_latent_transformers, num_blocks,
        num_self_attends_per_block, num_cross_attention_heads, num_self_attention_heads,
        qk_channels, v_channels, cross_attention_widening_factor,
        self_attention_widening_factor, num_decoder_heads, decoder_qk_channels,
        decoder_v_channels, use_query_residual, dropout, attention_dropout, activation,
        masked_rows, dtype: See `Perceiver`. The defaults make a small model that learns small
            data sets without tuning; `keras_perceiver.presets` has the papers' sizes.
        query_dim: Width of the learned query. Default: `latent_dim`.
        compile: Whether to compile the model.
        optimizer: Default: AdamW with `learning_rate` and a weight decay of 0.01 on kernels and
            tables.
        learning_rate: A number or a Keras schedule, for the default optimizer.
        loss: Default: cross-entropy from logits (binary if `multi_label`).
        metrics: Default: accuracy, and if `multi_label` the area under the ROC curve.
        jit_compile: See `keras.Model.compile`.
        name: Name of the model.

    Returns:
        A `Perceiver`, from arrays `(batch, *shape)` to logits `(batch, num_classes)`.

    Raises:
        ValueError: names the argument, what was wanted and what came.
        TypeError: if a keyword is unknown; names the nearest one.

    Example:

    >>> model = kp.build_classifier((28, 28, 1), num_classes=10)
    >>> model.fit(images, labels, epochs=5)

    Reference: Perceiver (arXiv 2103.03206), section 4.1; Perceiver IO (arXiv 2107.14795),
    section 4.4.
    """
    outputs = Classes(num_classes, multi_label=multi_label, head=head, query_dim=query_dim)
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
        use_query_residual=use_query_residual,
        dropout=dropout,
        attention_dropout=attention_dropout,
        activation=activation,
        masked_rows=masked_rows,
        dtype=dtype,
        name=name,
    )
    if compile:
        compile_model(model, outputs, optimizer, learning_rate, loss, metrics, jit_compile)
    return model
