"""Checks of arguments. Every error names the argument, the expected and the received value."""

import difflib
import functools
import inspect
import math
import os
from pathlib import Path

import numpy as np


def whole_number(name, value, at_least=1):
    """Returns `value` as an int, or raises ValueError if it is not an int >= `at_least`."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < at_least:
        raise ValueError(
            f"`{name}` must be a whole number of at least {at_least}. Received: {name}={value!r}"
        )
    return int(value)


def optional_whole_number(name, value, at_least=1):
    """Like `whole_number`, but accepts None."""
    return None if value is None else whole_number(name, value, at_least)


def flag(name, value):
    """Returns `value` as a bool, or raises ValueError if it is not True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={value!r}")
    return bool(value)


def number(name, value, above=None, at_least=None, below=None, at_most=None):
    """Returns `value` as a float, or raises ValueError if it is outside the stated bounds."""
    bounds = [
        (f"above {above}", above is not None, lambda: value > above),
        (f"at least {at_least}", at_least is not None, lambda: value >= at_least),
        (f"below {below}", below is not None, lambda: value < below),
        (f"at most {at_most}", at_most is not None, lambda: value <= at_most),
    ]
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    is_number = is_number and not isinstance(value, bool)
    is_number = is_number and math.isfinite(value)
    if not is_number or not all(holds() for _, asked, holds in bounds if asked):
        wanted = " and ".join(["a finite number", *(text for text, asked, _ in bounds if asked)])
        raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")
    return float(value)


def number_for_each(name, value, count, **bounds):
    """Returns a tuple of `count` floats, from that many numbers or from one for all."""
    listed = isinstance(value, (tuple, list)) or getattr(value, "ndim", 0) == 1
    values = list(value) if listed else [value] * count
    if len(values) != count:
        raise ValueError(
            f"`{name}` must be a number, or {count} of them, one for each column. Received: "
            f"{len(values)} of them"
        )
    if not listed:
        number(name, value, **bounds)
    return tuple(number(f"{name}[{i}]", one, **bounds) for i, one in enumerate(values))


def fraction(name, value):
    """Returns `value` as a float in [0, 1), such as a dropout rate, or raises ValueError."""
    return number(name, value, at_least=0, below=1)


def finite(name, array):
    """Raises ValueError at the first NaN or infinity in a NumPy array."""
    if array.dtype.kind not in "fc" and array.dtype.name != "bfloat16":
        return
    is_finite = np.isfinite(array)
    if not is_finite.all():
        index = tuple(int(i) for i in np.unravel_index(np.argmin(is_finite), array.shape))
        raise ValueError(
            f"`{name}` must be finite numbers. Received: {array[index]} at index "
            f"{index[0] if len(index) == 1 else index}"
        )


def floats(name, value):
    """Returns `value` as a float32 array, or raises ValueError if it holds anything else."""
    try:
        return np.asarray(value, "float32")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`{name}` must be an array of numbers. Received: {name} of type "
            f"{type(value).__name__} ({error})"
        ) from error


def optional_text(name, value):
    """Returns `value`, or raises ValueError if it is neither None nor a string."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{name}` must be a string or None. Received: {name}={value!r}")
    return value


def optional_flag(name, value):
    """The same as `flag`, but None is allowed."""
    return None if value is None else flag(name, value)


def path(name, value):
    """Returns a `Path`, or raises ValueError if `value` is not a path."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ValueError(f"`{name}` must be a path. Received: {name}={value!r}")
    return Path(value)


def one_of(name, value, options):
    """Returns `value`, or raises ValueError if it is not among `options`."""
    types = tuple({type(option) for option in options})
    if isinstance(value, bool) or not isinstance(value, types) or value not in options:
        raise ValueError(f"`{name}` must be one of {tuple(options)}. Received: {name}={value!r}")
    return value


def divisible(name, value, by_name, by):
    """Raises ValueError unless `value` is a multiple of `by`."""
    if value % by:
        raise ValueError(
            f"`{name}` must be divisible by `{by_name}`. Received: {name}={value}, {by_name}={by}"
        )


def sizes(name, value, rank=None, allow_none=False):
    """Returns a tuple of sizes of at least 1, or None for sizes that may be unknown."""
    wanted = f"a tuple of {'one or more' if rank is None else rank} whole numbers of at least 1"
    if allow_none:
        wanted += " (or None for a size known only at call time)"
    listed = isinstance(value, (tuple, list)) and len(value) > 0
    if not listed or (rank is not None and len(value) != rank):
        raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")
    for size in value:
        is_whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if not (allow_none and size is None) and not (is_whole and size >= 1):
            raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")
    return tuple(None if size is None else int(size) for size in value)


def resolution(name, value, num_axes=None):
    """Returns a whole number of at least 1, a tuple with one for each axis, or None."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return sizes(name, value, rank=num_axes)
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"`{name}` must be a whole number of at least 1, or a tuple of one for each axis. "
            f"Received: {name}={value!r}"
        )
    return int(value)


def rank_of(name, shape, rank, axes):
    """Raises ValueError unless `shape` has `rank` axes, described by `axes`."""
    if len(shape) != rank:
        raise ValueError(f"`{name}` must have shape {axes}. Received: {name} of shape {shape}")


def mask_shape(name, shape, wanted):
    """Raises ValueError unless a mask of `shape` fits `wanted`; None fits any size."""
    fits = len(shape) == len(wanted) and all(
        have is None or want is None or have == want for have, want in zip(shape, wanted)
    )
    if not fits:
        raise ValueError(
            f"`{name}` must have shape {tuple(wanted)}, True where attention is allowed. "
            f"Received: {name} of shape {tuple(shape)}"
        )


def takes_also(*others, without=()):
    """Decorates a function that passes its `**keywords` to `others`.

    The decorated function's signature shows every keyword of `others` with its default, and the
    error for a misspelt keyword suggests the closest known keyword.

    Args:
        others: Functions or classes.
        without: Names of their arguments that the decorated function sets itself.
    """

    def decorate(function):
        own = inspect.signature(function).parameters.values()
        found = {p.name: p for p in own if p.kind is not p.VAR_KEYWORD}
        for other in others:
            for parameter in inspect.signature(other).parameters.values():
                if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in without:
                    found.setdefault(parameter.name, parameter)

        @functools.wraps(function)
        def checked(*args, **kwargs):
            check_known(function.__qualname__.partition(".")[0], kwargs, found)
            return function(*args, **kwargs)

        checked.__signature__ = inspect.Signature(list(found.values()))
        return checked

    return decorate


def explain_unknown(function):
    """Decorates a function so that the error for a misspelt keyword suggests the closest one."""
    return takes_also()(function)


def check_known(function_name, given, accepted):
    """Raises TypeError at the first name in `given` that is not among `accepted`."""
    for name in given:
        if name not in accepted:
            near = difflib.get_close_matches(name, accepted, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            names = ", ".join(taken for taken in accepted if taken != "self")
            raise TypeError(
                f"{function_name}() has no argument `{name}`.{hint} It takes: {names}. "
                f"Received: {name}={given[name]!r}"
            )
