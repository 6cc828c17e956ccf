"""Computes the optical flow between two frames with the published model, and draws it.

    python examples/optical_flow.py first.png second.png --weights hf://deepmind/optical-flow-perceiver

Frames of any size from 368 x 496 are divided into tiles. Without --weights the weights are random,
and so is the answer. Without files, the second frame is a photograph of scikit-learn's moved by 5
pixels to the right and 3 down, so the true flow is known. Writes flow.png: the first frame, and the
flow as colours (hue: direction, saturation: length).
"""

import argparse
import time
from pathlib import Path

import numpy as np

import keras_perceiver as kp

MOVED = (5, 3)  # pixels to the right and down


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="two PNG or JPEG files")
    parser.add_argument("--weights", help="hf://user/name or a directory")
    parser.add_argument("--output", type=Path, default=Path("flow.png"))
    parser.add_argument("--quick", action="store_true", help="a small model, to try the code")
    options = parser.parse_args()
    if len(options.files) not in (0, 2):
        parser.error("give two files, or none")

    model = load(options)
    first, second = map(read, options.files) if options.files else frames(model)
    start = time.perf_counter()
    flow = kp.predict_flow(model, first, second)
    seconds = time.perf_counter() - start
    print(f"mean flow: {flow[..., 0].mean():.2f} to the right, {flow[..., 1].mean():.2f} down")
    if not options.files:
        error = np.linalg.norm(flow - MOVED, axis=-1).mean()
        print(f"end-point error: {error:.2f} pixels; of no motion: {np.linalg.norm(MOVED):.2f}")
    draw(first, kp.preparation.flow_picture(flow), options.output)
    print(f"{options.output}, in {seconds:.1f} s, {model.count_params():,} parameters")


def load(options):
    if options.weights:
        return kp.from_preset(options.weights)
    print("Warning: the weights are random, so the answer is meaningless. See --weights.")
    small = {"height": 24, "width": 32, "num_latents": 8, "num_self_attends_per_block": 1}
    return kp.from_preset("perceiver_io_optical_flow", **(small if options.quick else {}))


def read(path):
    import tensorflow as tf

    return tf.io.decode_image(Path(path).read_bytes(), channels=3, expand_animations=False).numpy()


def frames(model):
    """A photograph of scikit-learn's, as large as two tiles, and the same moved."""
    from sklearn.datasets import load_sample_image

    _, _, height, width, _ = model.input_shape
    right, down = MOVED
    photograph = load_sample_image("china.jpg")
    height, width = min(height, 427 - down), min(width + width // 4, 640 - right)
    second = photograph[:height, :width]
    return photograph[down : height + down, right : width + right], second


def draw(first, picture, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4))
    for axis, image, title in zip(axes, (first, picture), ("first frame", "flow")):
        axis.imshow(image)
        axis.set_title(title)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
