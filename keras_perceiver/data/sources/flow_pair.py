"""Two frames and the optical flow between them."""

import io

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.flo_flow import flo_flow


def flow_pair(first, second, flow, invalid=None, occlusions=None):
    """Reads two frames and the flow from the first to the second.

    Args:
        first, second: Image files of the frames.
        flow: A .flo file.
        invalid: Image file that is not 0 where the flow is not valid, or None.
        occlusions: Image file that is not 0 where a pixel of the first frame cannot be seen in the
            second, or None.

    Returns:
        An example with the features of `flow_features`, but for `scene`.

    Raises:
        CorruptFile: if a file is broken, or not of the size of the others.

    Example:

    >>> flow_pair(Path("im0.png"), Path("im1.png"), Path("forward.flo"))
    """
    movement, valid = flo_flow(flow)
    size = valid.shape
    example = {
        "first": _image_file(first, size, flow),
        "second": _image_file(second, size, flow),
        "flow": movement,
        "occluded": np.zeros(size, bool),
        "has_occlusions": occlusions is not None,
    }
    if invalid is not None:
        valid = valid & ~_mask(invalid, size, flow)
    if occlusions is not None:
        example["occluded"] = _mask(occlusions, size, flow)
    return {**example, "valid": valid}


def flow_features():
    """The features of such examples: sizes differ from scene to scene."""
    image = tfds.features.Image(shape=(None, None, 3), encoding_format="png")
    mask = tfds.features.Tensor(shape=(None, None), dtype=np.bool_, encoding="zlib")
    return tfds.features.FeaturesDict(
        {
            "first": image,
            "second": image,
            "flow": tfds.features.Tensor(shape=(None, None, 2), dtype=np.float32, encoding="zlib"),
            "valid": mask,
            "occluded": mask,
            "has_occlusions": tfds.features.Scalar(np.bool_),
            "scene": tfds.features.Text(),
        }
    )


def _pixels(path, size, flow, channels):
    encoded = path.read_bytes()
    if not encoded:
        raise CorruptFile(path, "must be an image. Received: an empty file")
    try:
        pixels = tf.io.decode_image(encoded, channels, expand_animations=False).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise CorruptFile(path, f"must be an image: {error.message}") from error
    if pixels.shape[:2] != size:
        came = f"{pixels.shape[0]} x {pixels.shape[1]} pixels"
        raise CorruptFile(path, f"must have the {size[0]} x {size[1]} of {flow}. Received: {came}")
    return pixels, encoded


def _image_file(path, size, flow):
    """The bytes of the file as they are, once they are known to be an image of that size."""
    return io.BytesIO(_pixels(path, size, flow, 3)[1])


def _mask(path, size, flow):
    return _pixels(path, size, flow, 1)[0][..., 0] > 0
