"""Weights of one model in another with other inputs or outputs."""

import dataclasses

from keras import ops

from keras_perceiver import arguments
from keras_perceiver.models.perceiver import Perceiver
from keras_perceiver.models.position_tables import resized, tables_of

PARTS = ("latents", "encoder", "all")
_OF_LATENTS = ("latents", "latent_transformer")  # beginnings of paths


@dataclasses.dataclass(frozen=True)
class Transferred:
    """What `transfer` did.

    Args:
        taken: Paths of the weights that were copied.
        resized: Paths of the tables of positions that were cut or interpolated.
        fresh: Paths of the other weights of the model, which keep their initial values.
        left: Paths of the weights of the pretrained model, in the parts asked for, that have no
            place in the other model.
        frozen: Names of the layers that are not trained any more.
    """

    taken: list
    resized: list
    fresh: list
    left: list
    frozen: list

    def __str__(self):
        lines = [
            f"{what}: {len(paths)} weights of {', '.join(_layers(paths)) or 'no layer'}"
            for what, paths in (
                ("taken", self.taken),
                ("resized", self.resized),
                ("fresh", self.fresh),
                ("left", self.left),
            )
        ]
        return "\n".join([*lines, f"frozen: {', '.join(self.frozen) or 'nothing'}"])


def transfer(from_model, to_model, part: str = "encoder", freeze: bool = False) -> Transferred:
    """Copies weights of a pretrained model into a model with other outputs, or other inputs.

    A weight is copied if the other model has one of the same path and shape. Learned positions for
    another number of places are cut or interpolated. What has no counterpart keeps its initial
    value: in a model with more inputs, for example, the encoder's cross-attention, whose width is
    that of its widest input.

    Args:
        from_model: A trained `Perceiver`.
        to_model: The `Perceiver` that takes the weights.
        part: "encoder": inputs, cross-attends, latents and latent Transformer. "latents": latents
            and latent Transformer alone, for other inputs. "all": also the decoder and the heads.
        freeze: Whether the layers that took all of their weights are not trained. If the model is
            compiled, it is compiled again with the same arguments, since Keras decides then which
            weights are trained.

    Returns:
        `Transferred`; print it.

    Raises:
        ValueError: if an argument is wrong, or nothing would be taken. `to_model` is then as it
            was.

    Example (a text classifier from a masked language model):

    >>> language_model = kp.from_preset("hf://deepmind/language-perceiver")
    >>> classifier = kp.presets.get("perceiver_io_glue_multitask").build()
    >>> print(kp.transfer(language_model, classifier))

    Reference: Perceiver IO (arXiv 2107.14795), appendix F.4 (fine-tuning on GLUE) and table 7
    (pretraining on JFT).
    """
    for name, model in (("from_model", from_model), ("to_model", to_model)):
        if not isinstance(model, Perceiver):
            raise ValueError(f"`{name}` must be a Perceiver. Received: {type(model).__name__}")
    arguments.one_of("part", part, PARTS)
    arguments.flag("freeze", freeze)
    source = {weight.path: weight for weight in _weights(from_model, part)}
    target = {weight.path: weight for weight in _weights(to_model, part)}
    same = [
        path for path, weight in target.items()
        if path in source and source[path].shape == weight.shape
    ]  # fmt: skip
    grids, new_grids = tables_of(from_model), tables_of(to_model)
    changed = [
        path for path in target
        if path in source and path not in same and path in grids and path in new_grids
        and len(grids[path]) == len(new_grids[path])
        and source[path].shape[1:] == target[path].shape[1:]
    ]  # fmt: skip
    if not same and not changed:
        raise ValueError(
            f"`from_model` has nothing that `to_model` could take in part={part!r}: no weight has "
            f"the same path and shape. Received: {_layers(source)} and {_layers(target)}"
        )
    for path in same:
        target[path].assign(source[path])
    for path in changed:
        table = resized(ops.convert_to_numpy(source[path]), grids[path], new_grids[path])
        target[path].assign(table.astype("float32"))
    taken = {*same, *changed}
    return Transferred(
        taken=same,
        resized=changed,
        fresh=[weight.path for weight in to_model.weights if weight.path not in taken],
        left=[path for path in source if path not in taken],
        frozen=_freeze(to_model, taken) if freeze else [],
    )


def _weights(model, part):
    if part == "all":
        return model.weights
    if part == "encoder":
        return model.encoder.weights
    return [weight for weight in model.encoder.weights if weight.path.startswith(_OF_LATENTS)]


def _layers(paths):
    return list(dict.fromkeys(path.partition("/")[0] for path in paths))


def _freeze(model, taken):
    """Freezes the layers of which all weights are in `taken`; returns their names."""
    frozen = []
    for layer in (*model.encoder.layers, *model.decoder.layers):
        paths = [weight.path for weight in layer.weights]
        if paths and taken.issuperset(paths):
            layer.trainable = False
            frozen.append(layer.name)
    if model.compiled:
        model.compile_from_config(model.get_compile_config())
    return frozen
