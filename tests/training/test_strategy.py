"""Which strategy is chosen, and what is said where none can be."""

import json

import keras
import pytest

from keras_perceiver import training
from keras_perceiver.training import keras_remedy

pytestmark = pytest.mark.tensorflow


def config(workers=2, kind="worker", index=0, **more):
    cluster = {"worker": [f"127.0.0.1:{2000 + i}" for i in range(workers)], **more}
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_one_device(monkeypatch):
    import tensorflow as tf

    for text in ("", config(workers=1)):
        monkeypatch.setenv("TF_CONFIG", text)
        for name in ("one", "auto"):
            strategy = training.strategy(name)
            assert strategy.num_replicas_in_sync == 1
            assert strategy is tf.distribute.get_strategy()


@pytest.mark.parametrize(
    "arguments, environment, kind",
    [
        ({}, {"TF_CONFIG": config(3)}, "MultiWorkerMirroredStrategy"),
        ({"name": "multi_worker"}, {"TF_CONFIG": config(2)}, "MultiWorkerMirroredStrategy"),
        ({"name": "mirrored", "devices": ["CPU:0", "CPU:1"]}, {}, "MirroredStrategy"),
        ({"name": "tpu"}, {}, "TPUStrategy"),
        ({"name": "tpu", "devices": "my-tpu"}, {}, "TPUStrategy"),
    ],
)
def test_the_strategy_for_what_is_there(monkeypatch, arguments, environment, kind):
    """With TensorFlow's own put in their places: here is one CPU, and no TPU."""
    import tensorflow as tf

    made = []
    for name in ("MultiWorkerMirroredStrategy", "MirroredStrategy", "TPUStrategy"):
        monkeypatch.setattr(tf.distribute, name, lambda *args, name=name: made.append(name) or name)
    asked = []
    monkeypatch.setattr(
        tf.distribute.cluster_resolver, "TPUClusterResolver", lambda tpu: asked.append(tpu)
    )
    monkeypatch.setattr(tf.config, "experimental_connect_to_cluster", lambda resolver: None)
    monkeypatch.setattr(tf.tpu.experimental, "initialize_tpu_system", lambda resolver: None)
    monkeypatch.setattr(keras_remedy, "apply", lambda: made.append("remedy"))
    cpus = [tf.config.LogicalDevice(f"/device:CPU:{i}", "CPU") for i in range(2)]
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind="CPU": cpus if kind == "CPU" else []
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if kind == "TPUStrategy":
        with pytest.warns(UserWarning, match="Nobody has run keras_perceiver on a TPU"):
            assert training.strategy(**arguments) == kind
        assert asked == [arguments.get("devices", "local")]
    else:
        assert training.strategy(**arguments) == kind
    assert made == (["remedy", kind] if kind.startswith("MultiWorker") else [kind])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "all"}, "`name` must be one of .*Received: name='all'"),
        ({"name": "mirrored"}, r"`devices` must be two or more of .*Received: devices=\[\]"),
        ({"name": "mirrored", "devices": ["CPU:0", "CPU:0"]}, "each once"),
        ({"name": "mirrored", "devices": ["CPU:0", "GPU:7"]}, "`devices` must be two or more of"),
        ({"name": "one", "devices": ["CPU:0"]}, "`devices` must be None with name='one'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.strategy(**arguments)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "Received: TF_CONFIG=''"),
        ("{", "`TF_CONFIG` must be like"),
        ("[]", "`TF_CONFIG` must be like"),
        ('{"cluster": {"worker": ["127.0.0.1:2000"]}}', "with this process among the workers"),
        (config(2, index=2), "with this process among the workers"),
        (config(2, kind="ps"), "with this process among the workers"),
        (config(2, ps=["127.0.0.1:1999"]), r"also \['ps'\], which this strategy does not use"),
    ],
)
def test_wrong_tf_config(monkeypatch, text, message):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=message):
        training.strategy("multi_worker")


def test_too_late_for_several_workers(monkeypatch):
    import tensorflow as tf

    def late():
        raise RuntimeError("Collective ops must be configured at program startup")

    monkeypatch.setenv("TF_CONFIG", config(2))
    monkeypatch.setattr(keras_remedy, "apply", lambda: None)
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", late)
    with pytest.raises(RuntimeError, match="must be called before anything is computed"):
        training.strategy()


@pytest.mark.parametrize("version", ["3.8.0", "3.16.0", "4.0.0", "3.16.0.dev1"])
def test_a_keras_that_nobody_looked_at_is_refused(monkeypatch, version):
    monkeypatch.setattr(keras, "__version__", version)
    with pytest.raises(RuntimeError, match=f"Keras 3.9 to 3.15 .*Received: Keras {version}"):
        keras_remedy.apply()


def test_another_backend_is_told_where_to_go(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="On JAX use keras.distribution"):
        training.strategy()
