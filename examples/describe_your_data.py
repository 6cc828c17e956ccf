"""Five tasks in at most ten lines each: describe the inputs and the outputs.

    python examples/describe_your_data.py

Segmentation, forecasting, regression from a table, text tagging, and classification of an image
with metadata, each on synthetic data. It takes two minutes on two cores and prints, for each task,
the score of the model on 256 examples that it was not trained on, and the score of the best answer
that ignores the input.
"""

import keras
import numpy as np

import keras_perceiver as kp

SETTINGS = {"num_latents": 16, "latent_dim": 64, "num_self_attends_per_block": 2}
SETTINGS.update(learning_rate=2e-3, jit_compile=False)
COUNT, SEEN, NEW = 1280, slice(0, 1024), slice(1024, None)
random = np.random.default_rng(0)


def blind_error(values):
    """Mean absolute error on new examples of the median of those seen."""
    return np.abs(values[NEW] - np.median(values[SEEN])).mean()


def segmentation(epochs):
    """Which pixels of a noisy image belong to a bright square."""
    corners, size = random.integers(0, 9, (COUNT, 2)), np.arange(16)
    inside = [(size >= c) & (size < c + 8) for c in corners.T[..., None]]
    masks = (inside[0][:, :, None] & inside[1][:, None, :]).astype(int)
    images = (masks + 0.3 * random.normal(size=masks.shape))[..., None]
    # --- describe the data, get the model
    model = kp.build_perceiver_io(
        kp.Image(16, 16, 1, stem="patches", patch_size=2),
        kp.Grid((16, 16), num_classes=2),
        **SETTINGS,
    )
    model.fit(images[SEEN], masks[SEEN], batch_size=32, epochs=epochs, verbose=0)
    # ---
    accuracy = model.evaluate(images[NEW], masks[NEW], verbose=0, return_dict=True)["accuracy"]
    return "pixels right", accuracy, 1 - masks[NEW].mean()


def forecasting(epochs):
    """The next 8 values of two series, from the last 24."""
    time = np.arange(32) + random.uniform(0, 32, (COUNT, 1))
    series = np.stack([np.sin(time / 3), np.cos(time / 5)], -1)
    past, future = series[:, :24], series[:, 24:]
    # --- describe the data, get the model
    model = kp.build_perceiver_io(kp.Array((24, 2)), kp.Grid((8,), channels=2), **SETTINGS)
    model.fit(past[SEEN], future[SEEN], batch_size=32, epochs=epochs, verbose=0)
    # ---
    error = model.evaluate(past[NEW], future[NEW], verbose=0, return_dict=True)["mae"]
    return "mean absolute error", error, blind_error(future)


def regression(epochs):
    """A number from a table row with seven columns."""
    table = random.normal(size=(COUNT, 7, 1))
    target = table[:, 0] * 2 - table[:, 3] + 0.5 * table[:, 5] * table[:, 6]
    # --- describe the data, get the model
    columns = kp.Array((7, 1), positions="learned", position_dim=32, position_stddev=1.0)
    model = kp.build_perceiver_io(columns, kp.Values(1), **SETTINGS)
    model.fit(table[SEEN], target[SEEN], batch_size=32, epochs=epochs, verbose=0)
    # ---
    error = model.evaluate(table[NEW], target[NEW], verbose=0, return_dict=True)["mae"]
    return "mean absolute error", error, blind_error(target)


def tagging(epochs):
    """Whether each byte of a text is a vowel, a consonant or neither."""
    letters = np.array(list("aeioubcdfg .,"))
    texts = ["".join(row) for row in random.choice(letters, (COUNT, 12))]
    tags = np.array([[0 if c in "aeiou" else 1 if c.isalpha() else 2 for c in t] for t in texts])
    # --- describe the data, get the model
    model = kp.build_perceiver_io(kp.Text(12, dim=48), kp.PerInput(num_classes=3), **SETTINGS)
    ids = kp.text_to_ids(texts)
    model.fit(ids[SEEN], tags[SEEN], batch_size=32, epochs=epochs, verbose=0)
    # ---
    accuracy = model.evaluate(ids[NEW], tags[NEW], verbose=0, return_dict=True)["accuracy"]
    most = np.bincount(tags[SEEN].ravel()).argmax()
    return "bytes right", accuracy, (tags[NEW] == most).mean()


def image_and_metadata(epochs):
    """A label that depends on an image (which half is bright) and on a flag (keep or flip)."""
    right, flip = random.integers(0, 2, (2, COUNT))
    images = 0.3 * random.normal(size=(COUNT, 8, 8, 1))
    images += np.where(np.arange(8) // 4 == right[:, None], 1.0, 0.0)[:, None, :, None]
    inputs, labels = {"image": images, "how": np.eye(2)[flip]}, right ^ flip
    # --- describe the data, get the model
    model = kp.build_perceiver_io(
        inputs={"image": kp.Image(8, 8, 1), "how": kp.Labels(2)},
        outputs=kp.Classes(2),
        **SETTINGS,
    )
    seen = {key: value[SEEN] for key, value in inputs.items()}
    model.fit(seen, labels[SEEN], batch_size=32, epochs=epochs, verbose=0)
    # ---
    new = {key: value[NEW] for key, value in inputs.items()}
    accuracy = model.evaluate(new, labels[NEW], verbose=0, return_dict=True)["accuracy"]
    return "labels right", accuracy, max(labels[NEW].mean(), 1 - labels[NEW].mean())


TASKS = (segmentation, forecasting, regression, tagging, image_and_metadata)


def main(epochs=10):
    """Returns {task: (model's score, baseline's score)}."""
    scores = {}
    for task in TASKS:
        keras.utils.set_random_seed(1)
        metric, score, baseline = task(epochs)
        scores[task.__name__] = (score, baseline)
        print(f"{task.__name__:20} {metric:20} {score:.3f}   baseline {baseline:.3f}", flush=True)
    return scores


if __name__ == "__main__":
    main()
