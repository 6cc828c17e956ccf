"""A tree of choices in which every path from the root is a valid combination."""

import itertools
import math
from typing import NamedTuple

LARGEST = 20_000  # combinations that are tested one by one


class Choice(NamedTuple):
    """A node of the tree: one argument to choose, and the choices after it.

    Args:
        name: Name of the argument.
        values: Values that are part of a valid combination, in the given order.
        after: Pairs of values and the `Choice` that follows them (None at the end). There is a
            single pair if the next choices do not depend on the value.
    """

    name: str
    values: tuple
    after: tuple


class SearchSpace:
    """The combinations of argument values that pass a test, as nested choices.

    If the valid values of an argument depend on earlier arguments, there is one hyperparameter for
    each case, active only in that case: `num_latents` may be followed by
    `num_blocks/num_latents=8,16` and `num_blocks/num_latents=32`. So a tuner can draw, vary and
    count combinations, and all of them are valid.

    Args:
        candidates: A dict from names of arguments to their candidate values.
        fits: Function that takes a dict with one value for each name and returns whether this
            combination is valid.

    Raises:
        ValueError: if no combination is valid, or there are more than 20,000 combinations to test.

    Example:

    >>> space = SearchSpace({"width": [2, 4], "heads": [1, 4]},
    ...                     fits=lambda drawn: drawn["width"] % drawn["heads"] == 0)
    >>> space.combinations()
    [{'width': 2, 'heads': 1}, {'width': 4, 'heads': 1}, {'width': 4, 'heads': 4}]
    """

    def __init__(self, candidates, fits):
        good = isinstance(candidates, dict) and all(
            isinstance(values, (list, tuple, range)) and len(values)
            for values in candidates.values()
        )
        if not good:
            raise ValueError(
                "`candidates` must be a dict from names to lists of values. Received: "
                f"candidates={candidates!r}"
            )
        if not callable(fits):
            raise ValueError(
                f"`fits` must be a function of a dict of values. Received: fits={fits!r}"
            )
        number = math.prod(len(values) for values in candidates.values())
        if number > LARGEST:
            raise ValueError(
                f"`search` must have at most {LARGEST:,} combinations of sizes. Received: "
                f"{number:,}, of { ({name: len(v) for name, v in candidates.items()}) } values"
            )
        self.candidates = candidates
        self._fitting = [drawn for drawn in self._all() if fits(drawn)]
        if not self._fitting:
            raise ValueError(
                "No combination of the searched sizes fits. Received: "
                f"search over { ({name: list(v) for name, v in candidates.items()}) }"
            )
        self.root = self._tree(self._fitting, list(candidates))

    def combinations(self):
        """All valid combinations, as a list of dicts."""
        return [dict(drawn) for drawn in self._fitting]

    def declare(self, hp):
        """Adds all choices to `keras_tuner.HyperParameters`, each with its conditions."""
        self._declare(hp, self.root, ())

    def chosen(self, hp):
        """The combination chosen by the values of `hp`, as a dict."""
        chosen, choice, path = {}, self.root, ()
        while choice is not None:
            label = _label(choice.name, path)
            value = hp.get(label)
            chosen[choice.name] = value
            (values, after) = next(pair for pair in choice.after if value in pair[0])
            if len(choice.after) > 1:
                path = (*path, (choice.name, values))
            choice = after
        return chosen

    def _all(self):
        names = list(self.candidates)
        for values in itertools.product(*self.candidates.values()):
            yield dict(zip(names, values))

    def _tree(self, drawn, names):
        if not names:
            return None
        name, *rest = names
        after = []  # values with equal subtrees share one subtree
        for value in self.candidates[name]:
            with_value = [combination for combination in drawn if combination[name] == value]
            if not with_value:
                continue
            subtree = self._tree(with_value, rest)
            for group, known in after:
                if known == subtree:
                    group.append(value)
                    break
            else:
                after.append(([value], subtree))
        values = [value for value in self.candidates[name] if any(value in g for g, _ in after)]
        after = tuple((tuple(group), subtree) for group, subtree in after)
        return Choice(name, tuple(values), after)

    def _declare(self, hp, choice, path):
        if choice is None:
            return
        label = _label(choice.name, path)
        hp.Choice(label, list(choice.values))
        if len(choice.after) == 1:
            return self._declare(hp, choice.after[0][1], path)
        for values, after in choice.after:
            with hp.conditional_scope(label, list(values)):
                self._declare(hp, after, (*path, (choice.name, values)))


def _label(name, path):
    conditions = [f"{parent}={','.join(map(str, values))}" for parent, values in path]
    return "/".join([name, *conditions])
