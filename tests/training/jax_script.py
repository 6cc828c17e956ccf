"""keras.distribution on JAX: two host devices, the data divided or the weights; prints losses."""

import json

import jax
import keras
import numpy as np

import keras_perceiver as kp

NEVER_REACHED = "key/bias"  # see mirrored_script.py
DEVICES = keras.distribution.list_devices()


def data_parallel():
    return keras.distribution.DataParallel(devices=DEVICES)


def model_parallel():
    mesh = keras.distribution.DeviceMesh((1, 2), ["batch", "model"], DEVICES)
    layout = keras.distribution.LayoutMap(mesh)
    # The two matrices of every feed-forward block, each cut along its hidden width.
    layout[".*feed_forward/hidden/kernel"] = (None, "model")
    layout[".*feed_forward/output/kernel"] = ("model", None)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")


def train(distribution):
    keras.distribution.set_distribution(distribution)
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(0)
    images, labels = random.normal(size=(16, 6, 2)), random.integers(3, size=16)
    model = kp.build_classifier(
        (6, 2),
        num_classes=3,
        num_latents=3,
        latent_dim=8,
        num_self_attends_per_block=1,
        num_self_attention_heads=2,
    )
    history = model.fit(images, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)
    divided = [w.path for w in model.weights if not w.value.sharding.is_fully_replicated]
    on = {len(w.value.sharding.device_set) for w in model.weights}
    return {
        "loss": history.history["loss"],
        "weights": [
            np.asarray(weight.value).tolist()
            for weight in model.weights
            if not weight.path.endswith(NEVER_REACHED)
        ],
        "divided": divided,
        "devices": sorted(on),
    }


print(
    json.dumps(
        {
            "device_count": jax.device_count(),
            "one": train(None),
            "data_parallel": train(data_parallel()),
            "model_parallel": train(model_parallel()),
        }
    )
)
