"""A preset: everything that makes one model, as data."""

import dataclasses
import inspect
from collections.abc import Callable

from keras_perceiver import arguments as checks
from keras_perceiver.inputs.perceiver_input import PerceiverInput


@dataclasses.dataclass(frozen=True)
class Preset:
    """One model of the papers: a builder and all its arguments.

    Args:
        name: Under which `kp.from_preset` finds it.
        builder: The builder, such as `build_classifier`.
        arguments: All arguments of the builder that are not its defaults.
        parameters: Number of trainable parameters.
        gflops: Billions of floating-point operations of one forward pass as the paper computes it,
            a multiply-add counted as two, matrix products and convolutions alone.
        source: Paper and table, and where the paper and the released model differ.
        huggingface: Repository of the published weights on the Hugging Face hub, if any.
        deepmind: Name of DeepMind's own file of weights, if any.

    Example:

    >>> preset = kp.presets.get("perceiver_io_imagenet_fourier")
    >>> preset.parameters
    48440627
    >>> model = preset.build(num_classes=10, height=288, width=288)
    """

    name: str
    builder: Callable
    arguments: dict
    parameters: int
    gflops: float
    source: str
    huggingface: str | None = None
    deepmind: str | None = None

    def build(self, **overrides):
        """The compiled model, with random weights.

        Args:
            **overrides: Arguments of the builder; or of the input descriptions (`height`,
                `max_length`, ...), which apply to every input that has such an argument.

        Returns:
            A `Perceiver`.

        Raises:
            TypeError: if neither the builder nor an input has such an argument.
            ValueError: if an argument is wrong; names it, the expected and the received value.
        """
        return self.builder(**self.changed(**overrides))

    def changed(self, **overrides):
        """The arguments of the builder after `overrides`; see `build`."""
        known = inspect.signature(self.builder).parameters
        inputs = overrides.get("inputs", self.arguments.get("inputs"))
        readers = inputs if isinstance(inputs, dict) else {"": inputs}
        configs = {name: _config(reader) for name, reader in readers.items()}
        described = {key for config in configs.values() for key in config}
        checks.check_known(self.name, overrides, [*known, *sorted(described - set(known))])
        of_inputs = {key: value for key, value in overrides.items() if key not in known}
        for name, config in configs.items():
            changes = {key: value for key, value in of_inputs.items() if key in config}
            if changes:
                readers = {**readers, name: with_arguments(readers[name], **changes)}
        changed = {**self.arguments, **overrides}
        if of_inputs:
            changed["inputs"] = readers if isinstance(inputs, dict) else readers[""]
        return {key: value for key, value in changed.items() if key not in of_inputs}

    def __str__(self):
        lines = [
            f"{self.name}: {self.parameters:,} parameters, {self.gflops:,.4g} GFLOP forward",
            self.source,
        ]
        if self.huggingface:
            lines.append(f'Weights: kp.from_preset("hf://{self.huggingface}")')
        return "\n".join(lines)


def _config(reader):
    """The arguments of an input description by name, without those of every Keras layer."""
    if not isinstance(reader, PerceiverInput):
        return {}
    config = reader.get_config()
    return {key: value for key, value in config.items() if key not in OF_EVERY_LAYER}


def with_arguments(reader, **changes):
    """A copy of an input description with some of its arguments changed."""
    return type(reader)(**{**reader.get_config(), **changes})


OF_EVERY_LAYER = ("name", "trainable", "dtype")
