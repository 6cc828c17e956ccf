"""Checks of arguments. Every error says the argument, what was wanted and what came."""

import difflib
import functools
import inspect
import math

import numpy as np


def whole_number(name, value, at_least=1):
    """Returns `value` as an int, or raises ValueError if it is not one of at least `at_least`."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < at_least:
        raise ValueError(
            f"`{name}` must be a whole number of at least {at_least}. Received: {name}={value!r}"
        )
    return int(value)


def optional_whole_number(name, value, at_least=1):
    """The same, or None as it is."""
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


def fraction(name, value):
    """Returns `value` as a float in [0, 1), as dropout rates are."""
    return number(name, value, at_least=0, below=1)


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
    """Returns a tuple of sizes of at least 1 (None where a size may be unknown)."""
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
    """Returns a whole number of at least 1, or a tuple of one for each axis; None as it is."""
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


def explain_unknown(function=None, also=None):
    """Decorates a function so that a misspelt keyword is answered with the nearest real one.

    `also` is the function that gets the keywords which the decorated one hands on.
    """
    if function is None:
        return functools.partial(explain_unknown, also=also)
    accepted = [
        parameter.name
        for taker in (function, also)
        if taker is not None
        for parameter in inspect.signature(taker).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    accepted = list(dict.fromkeys(accepted))

    @functools.wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in accepted:
                near = difflib.get_close_matches(name, accepted, n=1)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                raise TypeError(
                    f"{function.__name__}() has no argument `{name}`.{hint} "
                    f"It takes: {', '.join(accepted)}. Received: {name}={kwargs[name]!r}"
                )
        return function(*args, **kwargs)

    return checked
