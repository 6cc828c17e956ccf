"""Optical flow as a picture."""

import numpy as np

from keras_perceiver import arguments

# The colour wheel: hues change linearly between these, more slowly where the eye sees more of them.
_STEPS = (15, 6, 4, 11, 13, 6)
_HUES = np.array(  # red, yellow, green, cyan, blue, magenta, red
    [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]], "float64"
)
_UNKNOWN = 1e9  # longer vectors mean that the flow is unknown


def flow_picture(flow, max_length: float | None = None):
    """Draws optical flow: the hue is the direction, the saturation the length.

    Right is red, down is yellow, left is blue, up is violet, and no motion is white.

    Args:
        flow: Floats `(height, width, 2)`, or with further axes before these: the displacement of
            each pixel to the right and down. Where it is not finite or longer than 1e9, it is
            unknown, and drawn in black.
        max_length: The length that is drawn in full colour; longer vectors are drawn darker.
            Default: the length of the longest vector.

    Returns:
        NumPy uint8 `(..., height, width, 3)`: red, green and blue.

    Raises:
        ValueError: if `flow` has another shape, or `max_length` is not above 0.

    Example:

    >>> picture = kp.preparation.flow_picture(kp.predict_flow(model, frame_0, frame_1))

    Reference: Baker et al., "A Database and Evaluation Methodology for Optical Flow", section 4,
    in the colours of the Middlebury benchmark.
    """
    flow = arguments.floats("flow", flow).astype("float64")
    if flow.ndim < 3 or flow.shape[-1] != 2:
        raise ValueError(
            f"`flow` must have shape (height, width, 2). Received: flow of shape {flow.shape}"
        )
    known = (np.abs(flow) < _UNKNOWN).all(axis=-1)
    flow = np.where(known[..., None], flow, 0.0)
    length = np.hypot(flow[..., 0], flow[..., 1])
    if max_length is None:
        max_length = length.max(initial=0.0) or 1.0
    length = length / arguments.number("max_length", max_length, above=0)
    # From 0 to 1, right to right by way of down, left and up.
    turn = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1.0
    places = np.concatenate([[0], np.cumsum(_STEPS)])
    place = turn * (places[-1] - 1)
    colour = np.stack([np.interp(place, places, channel) for channel in _HUES.T], axis=-1)
    length = length[..., None]
    colour = np.where(length <= 1, 1 - length * (1 - colour), 0.75 * colour)
    return np.floor(255 * np.where(known[..., None], colour, 0.0)).astype("uint8")
