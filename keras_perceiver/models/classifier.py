"""A classifier of arrays on a grid, or of any other described inputs."""

from keras_perceiver import arguments
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.classes import Classes


@arguments.takes_also(build_perceiver_io)
def build_classifier(
    inputs,
    num_classes,
    *,
    multi_label: bool = False,
    head: str = "query",
    query_dim: int | None = None,
    use_query_residual: bool = True,
    name: str = "perceiver_classifier",
    **options,
):
    """Builds and compiles a Perceiver that classifies.

    Args:
        inputs: The shape of one example, `(length, channels)`, `(height, width, channels)`,
            `(frames, height, width, channels)`, ..., read as a grid with Fourier positions, images
            and series through a small convolution; or an input description, or a dict of them by
            name.
        num_classes: Number of classes.
        multi_label: Whether an example may have any number of classes. Targets are then zeros
            and ones `(batch, num_classes)`, otherwise whole numbers `(batch,)`.
        head: "query" (Perceiver IO) or "mean" (Perceiver); see `Classes`.
        query_dim: Width of the learned query. Default: the width of the latents.
        use_query_residual: Whether the decoder adds the query to its attention output.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`: sizes (`num_latents`, `latent_dim`,
            `num_cross_attends`, ...), `optimizer`, `learning_rate`, `compile`, ... The defaults
            make a small model that learns small data sets without tuning;
            `keras_perceiver.presets` has the papers' sizes.

    Returns:
        A `Perceiver`, from arrays `(batch, *shape)` to logits `(batch, num_classes)`.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.
        TypeError: if a keyword is unknown; suggests the closest known keyword.

    Example:

    >>> model = kp.build_classifier((28, 28, 1), num_classes=10)
    >>> model.fit(images, labels, epochs=5)

    Reference: Perceiver (arXiv 2103.03206), section 4.1; Perceiver IO (arXiv 2107.14795),
    section 4.4.
    """
    outputs = Classes(num_classes, multi_label=multi_label, head=head, query_dim=query_dim)
    return build_perceiver_io(
        inputs, outputs, use_query_residual=use_query_residual, name=name, **options
    )
