"""Five tasks in at most ten lines each: describe the inputs and the outputs.

    python examples/describe_your_data.py

Segmentation, forecasting, regression from a table, text tagging, and classification of an image
with metadata, each on synthetic data. It takes two minutes on two cores and prints, for each task,
the score of the model and the score of a baseline that ignores the input.
"""

import keras
import numpy as np

import keras_perceiver as kp

SETTINGS = {"num_latents": 16, "latent_dim": 64, "num_self_attends_per_block": 2}
SETTINGS.update(learning_rate=2e-3, jit_compile=False)
random = np.random.default_rng(0)


def segmentation(epochs):
    """Which pixels of a noisy image belong to a bright square."""
    corners, size = random.integers(0, 9, (1024, 2)), np.arange(16)
    inside = [(size >= c) & (size < c + 8) for c in corners.T[..., None]]
    masks = inside[0][:, :, None] & inside[1][:, None, :]
    images = (masks + 0.3 * random.normal(size=masks.shape))[..., None]
    # --- describe the data, get the model
    model = kp.build_perceiver_io(
        kp.Image(16, 16, 1, stem="patches", patch_size=2),
        kp.Grid((16, 16), num_classes=2),
        **SETTINGS,
    )
    model.fit(images, masks.astype(int), batch_size=32, epochs=epochs, verbose=0)
    # ---
    accuracy = model.evaluate(images, masks.astype(int), verbose=0, return_dict=True)["accuracy"]
    return "pixels right", accuracy, max(masks.mean(), 1 - masks.mean())


def forecasting(epochs):
    """The next 8 values of two series, from the last 24."""
    time = np.arange(32) + random.uniform(0, 32, (1024, 1))
    series = np.stack([np.sin(time / 3), np.cos(time / 5)], -1)
    past, future = series[:, :24], series[:, 24:]
    # --- describe the data, get the model
    model = kp.build_perceiver_io(kp.Array((24, 2)), kp.Grid((8,), channels=2), **SETTINGS)
    model.fit(past, future, batch_size=32, epochs=epochs, verbose=0)
    # ---
    error = model.evaluate(past, future, verbose=0, return_dict=True)["mae"]
    return "mean absolute error", error, np.abs(future - future.mean()).mean()


def regression(epochs):
    """A number from a table row with seven columns."""
    table = random.normal(size=(1024, 7, 1))
    target = table[:, 0] * 2 - table[:, 3] + 0.5 * table[:, 5] * table[:, 6]
    # --- describe the data, get the model
    columns = kp.Array((7, 1), positions="learned", position_dim=32, position_stddev=1.0)
    model = kp.build_perceiver_io(columns, kp.Values(1), **SETTINGS)
    model.fit(table, target, batch_size=32, epochs=epochs, verbose=0)
    # ---
    error = model.evaluate(table, target, verbose=0, return_dict=True)["mae"]
    return "mean absolute error", error, np.abs(target - target.mean()).mean()


def tagging(epochs):
    """Whether each byte of a text is a vowel, a consonant or neither."""
    letters = np.array(list("aeioubcdfg .,"))
    texts = ["".join(row) for row in random.choice(letters, (1024, 12))]
    tags = np.array([[0 if c in "aeiou" else 1 if c.isalpha() else 2 for c in t] for t in texts])
    # --- describe the data, get the model
    model = kp.build_perceiver_io(kp.Text(12, dim=48), kp.PerInput(num_classes=3), **SETTINGS)
    ids = kp.text_to_ids(texts)
    model.fit(ids, tags, batch_size=32, epochs=epochs, verbose=0)
    # ---
    accuracy = model.evaluate(ids, tags, verbose=0, return_dict=True)["accuracy"]
    return "bytes right", accuracy, np.bincount(tags.ravel()).max() / tags.size


def image_and_metadata(epochs):
    """A label that depends on an image (which half is bright) and on a flag (keep or flip)."""
    right, flip = random.integers(0, 2, (2, 1024))
    images = 0.3 * random.normal(size=(1024, 8, 8, 1))
    images += np.where(np.arange(8) // 4 == right[:, None], 1.0, 0.0)[:, None, :, None]
    inputs = {"image": images, "how": np.eye(2)[flip]}
    # --- describe the data, get the model
    model = kp.build_perceiver_io(
        inputs={"image": kp.Image(8, 8, 1), "how": kp.Labels(2)},
        outputs={"label": kp.Classes(2)},
        **SETTINGS,
    )
    model.fit(inputs, {"label": right ^ flip}, batch_size=32, epochs=epochs, verbose=0)
    # ---
    results = model.evaluate(inputs, {"label": right ^ flip}, verbose=0, return_dict=True)
    return "labels right", results["accuracy"], 0.5


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
