"""The best runtime of ours against the best runtime of theirs, in the same precision."""

from benchmarks.measure import ratio_spread
from benchmarks.side_names import is_ours

# By how much ours should be faster in a forward pass, at least.
FLOORS = {
    "language": {"float32": 1.25, "bfloat16": 1.35},
    "perceiver_io_imagenet_fourier": {"float32": 1.15, "bfloat16": 1.25},
    "perceiver_io_imagenet_learned": {"float32": 1.15, "bfloat16": 1.15},
    "perceiver_io_imagenet_conv": {"float32": 1.15, "bfloat16": 1.15},
    "perceiver_imagenet": {"float32": 2.5, "bfloat16": 2.5},
    "optical_flow": {"float32": 2.5, "bfloat16": 2.5},
    "multimodal": {"float32": 3.0, "bfloat16": 3.0},
}


def floor(work):
    """The floor of a work, or None if it has none."""
    floors = FLOORS.get(work["case"], {}) if work["mode"] == "forward" else {}
    return floors.get(work["dtype"])


def against(row):
    """Compares the side of ours with the smallest median with the peer with the smallest.

    Args:
        row: A row of the times, as `measure.summarize` makes it.

    Returns:
        A dict: the names `ours` and `peer`, the `ratio` of their medians (above 1 if ours is
        faster), its `ratio_spread` over the rounds, the `floor` and whether it is `met` (both None
        if there is no floor). None if one side has no time.
    """
    sides, medians = row["sides"], {True: {}, False: {}}
    for name, side in sides.items():
        if "median" in side:
            medians[is_ours(name)][name] = side["median"]
    if not (medians[True] and medians[False]):
        return None
    ours, peer = (min(found, key=found.get) for found in (medians[True], medians[False]))
    ratio, least = sides[peer]["median"] / sides[ours]["median"], floor(row["work"])
    return {
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "ratio_spread": ratio_spread(sides[ours], sides[peer]),
        "floor": least,
        "met": None if least is None else ratio >= least,
    }
