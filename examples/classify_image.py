"""Classifies a picture with a published ImageNet model.

    python examples/classify_image.py cat.jpg --weights hf://deepmind/vision-perceiver-fourier
    python examples/classify_image.py cat.jpg --weights hf://deepmind/vision-perceiver-conv

The weights bring the names of the classes. Without --weights the weights are random, and so is the
answer. Without a file, the picture is one of scikit-learn's.
"""

import argparse
import tempfile
import time
from pathlib import Path

import keras_perceiver as kp


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="PNG or JPEG")
    parser.add_argument("--weights", help="hf://user/name or a directory")
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a small model, to try the code")
    options = parser.parse_args()

    model = load(options)
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or sample(Path(folder) / "flower.png")
        images = model.preparation.from_file(file)
    start = time.perf_counter()
    logits = model.predict(images, verbose=0)
    (answers,) = model.preparation.readable(logits, top=options.top)
    for label, probability in answers:
        print(f"{probability:6.1%}  {label}")
    print(f"in {time.perf_counter() - start:.1f} s, {model.count_params():,} parameters")


def load(options):
    if options.weights:
        return kp.from_preset(options.weights)
    print("Warning: the weights are random, so the answer is meaningless. See --weights.")
    small = {"height": 32, "width": 32, "num_latents": 8} if options.quick else {}
    return kp.from_preset("perceiver_io_imagenet_fourier", **small)


def sample(path):
    from matplotlib import image
    from sklearn.datasets import load_sample_image

    image.imsave(path, load_sample_image("flower.jpg"))
    return path


if __name__ == "__main__":
    main()
