"""The `tf.distribute` strategy for the available devices."""

import json
import os
import warnings

import keras
import tensorflow as tf

from keras_perceiver import arguments
from keras_perceiver.training import keras_remedy

_NAMES = ("auto", "one", "mirrored", "multi_worker", "tpu")


def strategy(name: str = "auto", devices=None) -> tf.distribute.Strategy:
    """The strategy for the available devices: one device, several devices, or several machines.

    Build the model within its scope, then train with `kp.training.fit`, which refuses or corrects
    what crashes or silently differs on several devices.

    Args:
        name: "auto": "multi_worker" if the environment variable `TF_CONFIG` names more than one
            worker, otherwise "mirrored" if there are several GPUs, otherwise "one".
            "one": one device, TensorFlow's default.
            "mirrored": `MirroredStrategy`, a copy of the model on each device of this machine.
            "multi_worker": `MultiWorkerMirroredStrategy`; each machine runs the same script with
            its own `TF_CONFIG`. Call this function first, before anything is computed.
            "tpu": `TPUStrategy`. It follows the documentation but has never been run; a warning
            says so.
        devices: For "mirrored", names such as `["GPU:0", "GPU:1"]`; default: all GPUs. For "tpu",
            the name or address of the TPU; default: the local one. Otherwise None.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: if `name` is none of these, if there are fewer than two devices for "mirrored",
            or if `TF_CONFIG` is missing or does not describe workers.
        RuntimeError: if Keras is not running on TensorFlow; for "multi_worker", if this version of
            Keras is not known (see `keras_remedy`) or something was computed before the call.

    Example:

    >>> strategy = kp.training.strategy()
    >>> with strategy.scope():
    ...     model = kp.build_classifier((28, 28, 1), num_classes=10)
    >>> kp.training.fit(model, train, epochs=5, directory="runs/digits")
    """
    arguments.one_of("name", name, _NAMES)
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "Strategies of tf.distribute need Keras on TensorFlow. On JAX use keras.distribution. "
            f"Received: the backend {keras.backend.backend()!r}"
        )
    if name == "auto":
        name = _default_name()
    if devices is not None and name not in ("mirrored", "tpu"):
        raise ValueError(
            f"`devices` must be None with name={name!r}. Received: devices={devices!r}"
        )
    if name == "one":
        return tf.distribute.get_strategy()
    return {"mirrored": _mirrored, "multi_worker": _multi_worker, "tpu": _tpu}[name](devices)


def _default_name():
    if os.environ.get("TF_CONFIG") and len(_workers()) > 1:
        return "multi_worker"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one"


def _mirrored(devices):
    if devices is None:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    available = [device.name for device in tf.config.list_logical_devices()]
    short = [name.removeprefix("/device:") for name in available]
    listed = isinstance(devices, (list, tuple)) and len(set(devices)) == len(devices) > 1
    if not listed or not all(name in available + short for name in devices):
        raise ValueError(
            f"`devices` must be two or more of {short}, each once. Received: devices={devices!r}"
        )
    return tf.distribute.MirroredStrategy(list(devices))


def _multi_worker(devices):
    _workers()
    keras_remedy.apply()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise RuntimeError(
            'kp.training.strategy("multi_worker") must be called before anything is computed or '
            f"any model is built. {error}"
        ) from error


def _workers():
    """The addresses of the workers in `TF_CONFIG`, or raises ValueError."""
    text = os.environ.get("TF_CONFIG", "")
    wanted = (
        'The environment variable `TF_CONFIG` must be like {"cluster": {"worker": '
        '["10.0.0.1:2000", "10.0.0.2:2000"]}, "task": {"type": "worker", "index": 0}}'
    )
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        unknown = sorted(set(cluster) - {"chief", "worker"})
        workers = [*cluster.get("chief", []), *cluster.get("worker", [])]
        cluster[task["type"]][int(task["index"])]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(
            f"{wanted}, with this process among the workers. Received: TF_CONFIG={text!r}"
        ) from error
    if unknown:
        raise ValueError(
            f"{wanted}, with workers and at most a chief. Received: also {unknown}, which this "
            "strategy does not use"
        )
    return workers


def _tpu(address):
    warnings.warn(
        "Nobody has run keras_perceiver on a TPU yet: TPUStrategy here is untested. Compare the "
        "losses of the first steps with those of one device.",
        stacklevel=3,
    )
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=address or "local")
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)
