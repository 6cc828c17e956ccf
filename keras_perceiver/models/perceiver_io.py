"""A Perceiver IO with any inputs and any outputs."""

from keras_perceiver import arguments
from keras_perceiver.models.chosen_sizes import (
    chosen_inputs,
    chosen_sizes,
    decay_choice,
    given_sizes,
    stem_choice,
)
from keras_perceiver.models.compile_checks import CompileArguments, check_compile_arguments
from keras_perceiver.models.compiling import compile_model
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.sizes import Sizes


@arguments.takes_also(Sizes)
def build_perceiver_io(
    inputs,
    outputs,
    *,
    dtype=None,
    compile: bool = True,
    optimizer=None,
    learning_rate=1e-3,
    weight_decay: float | None = None,
    loss=None,
    loss_weights=None,
    metrics=None,
    weighted_metrics=None,
    jit_compile="auto",
    name: str = "perceiver_io",
    initialization: str = "local",
    num_latents: int | None = None,
    latent_dim: int | None = None,
    num_self_attends_per_block: int | None = None,
    num_cross_attention_heads: int | None = None,
    qk_channels: int | None = None,
    num_decoder_heads: int | None = None,
    **sizes,
):
    """Builds and compiles a Perceiver IO from descriptions of its inputs and outputs.

    Args:
        inputs: An input description, a shape, or a dict of these by name. A shape becomes an
            `Image`, a `Series` or an `Array` that standardises its values, or with
            `initialization="papers"` an `Array`. The model takes an array, or a dict with an entry
            for each name; some descriptions add entries such as `<name>_mask`.
        outputs: An output description, or a dict of them by name. The model returns an array, or a
            dict with the same names; targets have the same structure.
        dtype: Dtype policy of all layers. Default: the global policy.
        compile: Whether to compile the model.
        optimizer: Default: `AveragedAdamW`; with `initialization="papers"`,
            `keras.optimizers.AdamW`.
        learning_rate: A number or a Keras schedule, for the default optimizer.
        weight_decay: Weight decay of the default optimizer, on kernels and tables. Default: 0.01,
            but 1 for a `Table` with noise, which `kp.data.describe_table` makes of few rows.
        loss, metrics, weighted_metrics: As in `keras.Model.compile`. Default: those of the outputs,
            with metrics weighted by the sample weights of `fit`, if there are any.
        loss_weights: A number for each output by name. Default: 1 each.
        jit_compile: See `keras.Model.compile`. Default: Keras' choice, but no XLA on CPUs for
            large inputs and for bfloat16, which are faster without XLA (see benchmarks/NOTES.md).
        name: Name of the model.
        initialization: "local" or "papers"; see `Sizes`.
        num_latents, latent_dim, num_self_attends_per_block, num_cross_attention_heads,
        qk_channels, num_decoder_heads: See `Sizes`. Default: chosen from the shapes of inputs and
            outputs; `model.summary()` says what was chosen, and why. With
            `initialization="papers"` nothing is chosen, and the defaults are those of `Sizes`.
        **sizes: The other arguments of `Sizes`.

    Returns:
        A `Perceiver`.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.
        TypeError: if a keyword is unknown; suggests the closest known keyword.

    Example:

    >>> model = kp.build_perceiver_io(
    ...     inputs={"image": kp.Image(64, 64), "age": kp.Labels(1)},
    ...     outputs={"diagnosis": kp.Classes(5), "lesion": kp.Grid((64, 64), num_classes=2)},
    ...     loss_weights={"diagnosis": 1.0, "lesion": 0.1})
    >>> model.fit(dataset)  # of ({"image", "age"}, {"diagnosis", "lesion"})

    Reference: Perceiver IO (arXiv 2107.14795), section 3.
    """
    if arguments.flag("compile", compile):
        given_to_compile = CompileArguments(
            optimizer,
            learning_rate,
            weight_decay,
            loss,
            loss_weights,
            metrics,
            weighted_metrics,
            jit_compile,
        )
        check_compile_arguments(given_to_compile)
    sizes = {
        **sizes,
        **given_sizes(
            initialization=initialization,
            num_latents=num_latents,
            latent_dim=latent_dim,
            num_self_attends_per_block=num_self_attends_per_block,
            num_cross_attention_heads=num_cross_attention_heads,
            qk_channels=qk_channels,
            num_decoder_heads=num_decoder_heads,
        ),
    }
    given, inputs = inputs, chosen_inputs(inputs, sizes, outputs)
    chosen = chosen_sizes(inputs, outputs, sizes)
    sizes = {**{key: value for key, (value, _) in chosen.items()}, **sizes}
    model = Perceiver(inputs, outputs, name=name, dtype=dtype, **sizes)
    model.chosen = {**stem_choice(given, inputs), **chosen}
    if compile:
        if optimizer is None and weight_decay is None:
            model.chosen.update(decay_choice(model))
            weight_decay, _ = model.chosen.get("weight_decay", (1e-2, None))
        compile_model(model, given_to_compile._replace(weight_decay=weight_decay))
    return model
