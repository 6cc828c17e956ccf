"""Autoencoding of several modalities through one small array of latents."""

from keras_perceiver import arguments
from keras_perceiver.inputs.grid_input import GridInput
from keras_perceiver.inputs.labels import Labels
from keras_perceiver.inputs.text import Text
from keras_perceiver.models.chosen_sizes import chosen_inputs
from keras_perceiver.models.descriptions import as_inputs
from keras_perceiver.models.perceiver_io import build_perceiver_io
from keras_perceiver.outputs.classes import Classes
from keras_perceiver.outputs.reconstruction import Reconstruction
from keras_perceiver.outputs.tokens import Tokens


@arguments.takes_also(build_perceiver_io)
def build_autoencoder(
    inputs,
    *,
    num_decoded: dict | None = None,
    endpoint: bool = True,
    label_query_dim: int | None = None,
    min_input_padding: int = 4,
    name: str = "perceiver_autoencoder",
    **options,
):
    """Builds and compiles a Perceiver IO that reconstructs its inputs.

    Video, images, sound and arrays are reconstructed (`Reconstruction`), labels are classified
    (`Classes`), and text is reconstructed token by token (`Tokens`). To train a classifier, include
    labels in the inputs and mask them with `mask_probs={"label": 0.5}` in training and 1.0 at
    inference.

    Args:
        inputs: A dict of input descriptions by name.
        num_decoded: A dict from names to the number of queries that are decoded per example in
            training: pixels of video and images, patches of sound. The model then takes
            `<name>_indices`; `kp.data.sample_queries` draws them and gathers the targets.
        endpoint: See `FourierEncoding`; the published model uses False.
        label_query_dim: Width of the queries for labels. Default: the width of the latents.
        min_input_padding: See `Perceiver`.
        name: Name of the model.
        **options: Any other argument of `build_perceiver_io`.

    Returns:
        A `Perceiver` from a dict of inputs to a dict of outputs with the same names.

    Raises:
        ValueError: if an input cannot be reconstructed, or an argument is out of range.

    Example (the published model; 19,858,855 parameters):

    >>> model = kp.from_preset("perceiver_io_multimodal_autoencoder")
    >>> latents = model.encode(clips)
    >>> model.decode(latents, output="video", chunk_size=16384)

    Reference: Perceiver IO (arXiv 2107.14795), section 4.3 and appendix G.
    """
    num_decoded = {} if num_decoded is None else num_decoded
    if not isinstance(num_decoded, dict):
        raise ValueError(
            "`num_decoded` must be a dict from names of inputs to whole numbers. Received: "
            f"num_decoded={num_decoded!r}"
        )
    arguments.optional_whole_number("label_query_dim", label_query_dim)
    readers = as_inputs(chosen_inputs(inputs, options))
    unknown = sorted(set(num_decoded) - set(readers))
    if unknown:
        raise ValueError(
            f"`num_decoded` must name inputs among {sorted(readers)}. Received: {unknown}"
        )
    outputs = {}
    for key, reader in readers.items():
        if isinstance(reader, Labels):
            outputs[key] = Classes(reader.num_classes, query_dim=label_query_dim)
        elif isinstance(reader, Text):
            outputs[key] = Tokens(tied_to=key)
        elif isinstance(reader, GridInput):
            outputs[key] = Reconstruction(key, endpoint=endpoint, num_decoded=num_decoded.get(key))
        else:
            raise ValueError(
                f"`inputs[{key!r}]` must be on a grid, text or labels, to be reconstructed. "
                f"Received: {type(reader).__name__}"
            )
    return build_perceiver_io(
        inputs, outputs, min_input_padding=min_input_padding, name=name, **options
    )
