"""All presets by name."""

import builtins
import difflib

from keras_perceiver.presets import imagenet, language, multimodal, optical_flow, points
from keras_perceiver.presets.preset import Preset

_MODULES = (imagenet, language, optical_flow, multimodal, points)
_ALL = {
    value.name: value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, Preset)
}


def list():
    """The names of all presets.

    Example:

    >>> for name in kp.presets.list():
    ...     print(kp.presets.get(name))
    """
    return builtins.list(_ALL)


def get(name):
    """The `Preset` of that name.

    Raises:
        ValueError: if there is none; suggests the closest name.
    """
    if name not in _ALL:
        near = difflib.get_close_matches(str(name), _ALL, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"`name` must be one of {', '.join(_ALL)}.{hint} Received: name={name!r}")
    return _ALL[name]
