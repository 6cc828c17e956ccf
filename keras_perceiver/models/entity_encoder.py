"""An encoder of sets."""

from keras_perceiver import arguments
from keras_perceiver.inputs.entities import Entities
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.mean_over_inputs import MeanOverInputs
from keras_perceiver.outputs.per_input import PerInput


@arguments.takes_also(build_perceiver_io)
def build_entity_encoder(
    num_entities: int | None = 512,
    num_features: int = 128,
    channels: int | None = 256,
    *,
    num_classes: int | None = None,
    project_features: int | None = None,
    pooled_channels: int | None = None,
    num_latents: int = 32,
    num_self_attends_per_block: int = 3,
    name: str = "perceiver_entities",
    **options,
):
    """Builds and compiles a Perceiver IO for sets: an embedding or a class of each entity.

    It replaces a Transformer over entities, at a cost that is linear in their number. Unused slots
    are masked as inputs and as queries.

    Args:
        num_entities: Number of slots, or None if known only at call time.
        num_features: Features of an entity.
        channels: Width of the embedding of each entity.
        num_classes: Alternatively, with `channels=None`, the number of classes of an entity.
        project_features: Width to which a dense layer maps the features, or None for no layer.
        pooled_channels: If given, the model also returns an embedding of the whole set with this
            width: the mean over the entities in use, followed by a dense layer with ReLU (256 in
            AlphaStar).
        num_latents, num_self_attends_per_block: Defaults: as in the paper.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` from a dict of `entities` `(batch, num_entities, num_features)` and
        `entities_mask` `(batch, num_entities)` (True = in use) to
        `(batch, num_entities, channels)`; with `pooled_channels`, to a dict with this array as
        `entities` and with `pooled` `(batch, pooled_channels)`.

    Raises:
        ValueError: if an argument is wrong; names it, the expected and the received value.

    Example:

    >>> model = kp.build_entity_encoder(512, 128)
    >>> model({"entities": units, "entities_mask": alive})

    Reference: Perceiver IO (arXiv 2107.14795), section 4.5 and appendix B (StarCraft II).
    """
    entities = Entities(num_entities, num_features, project_features)
    outputs = PerInput(channels=channels, num_classes=num_classes)
    if pooled_channels is not None:
        arguments.whole_number("pooled_channels", pooled_channels)
        outputs = {"entities": outputs, "pooled": MeanOverInputs(channels=pooled_channels)}
    return build_perceiver_io(
        entities,
        outputs,
        num_latents=num_latents,
        num_self_attends_per_block=num_self_attends_per_block,
        name=name,
        **options,
    )
