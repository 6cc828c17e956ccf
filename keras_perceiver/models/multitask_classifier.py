"""Several classifications of the same input at once."""

from keras_perceiver import arguments
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.output import Output


@arguments.takes_also(build_perceiver_io)
def build_multitask_classifier(
    inputs,
    tasks: dict,
    *,
    query_dim: int | None = None,
    hidden_dim: int | None = None,
    min_query_padding: int = 0,
    name: str = "perceiver_multitask",
    **options,
):
    """Builds and compiles a Perceiver IO with one learned query for each task.

    All tasks share the encoder and the decoder; each task has its own query and its own head of two
    layers. No [CLS] token is needed.

    Args:
        inputs: As in `build_perceiver_io`.
        tasks: A dict from names of tasks to their numbers of classes, or to output descriptions
            such as `Values(1)`.
        query_dim: Width of the queries. Default: the width of the latents.
        hidden_dim: Width of the tanh layer of each head. Default: the width of the queries.
        min_query_padding: See `Perceiver`. Queries of one width need no padding.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` that returns a dict of logits by name of task. If an example has targets for
        only some tasks, pass `fit` a dict of sample weights with 0 for the others.

    Raises:
        ValueError: if there are no tasks, or an argument is out of range.

    Example:

    >>> model = kp.build_multitask_classifier(kp.Text(512), {"cola": 2, "mnli": 3})

    Reference: Perceiver IO (arXiv 2107.14795), section 4.1, table 2 ("multitask query") and
    appendix F.4.
    """
    if not isinstance(tasks, dict) or not tasks:
        raise ValueError(
            f"`tasks` must be a dict from names to numbers of classes. Received: tasks={tasks!r}"
        )
    arguments.optional_whole_number("query_dim", query_dim)
    arguments.optional_whole_number("hidden_dim", hidden_dim)
    query_dim = query_dim or options.get("latent_dim", 128)
    outputs = {
        key: task
        if isinstance(task, Output)
        else Classes(task, query_dim=query_dim, hidden_dim=hidden_dim or query_dim)
        for key, task in tasks.items()
    }
    return build_perceiver_io(
        inputs, outputs, min_query_padding=min_query_padding, name=name, **options
    )
