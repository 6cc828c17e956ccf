"""Fills in the missing bytes of a sentence with the published language model.

    python examples/fill_in_bytes.py --weights hf://deepmind/language-perceiver
    python examples/fill_in_bytes.py --text "The sky is blue." --hide "blue" --weights DIRECTORY

Without --weights the weights are random, and so is the answer. `pip install
keras-perceiver[checkpoints]` is needed for weights from the hub (805 MB, downloaded once).
"""

import argparse
import time

import keras_perceiver as kp

TEXT = "This is an incomplete sentence where some words are missing."


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", help="hf://user/name or a directory")
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--hide", default=" missing.", help="the part of the text to fill in")
    parser.add_argument("--quick", action="store_true", help="a small model, to try the code")
    options = parser.parse_args()

    model = load(options)
    prepare = model.preparation
    inputs = prepare([prepare.hide(options.text, options.hide)])
    start = time.perf_counter()
    logits = model.predict(inputs, verbose=0)
    print(f"asked:    {options.text.replace(options.hide, '_' * len(options.hide), 1)}")
    print(f"answered: {prepare.readable(logits, inputs)[0]}")
    print(f"in {time.perf_counter() - start:.1f} s, {model.count_params():,} parameters")


def load(options):
    if options.weights:
        return kp.from_preset(options.weights)
    print("Warning: the weights are random, so the answer is meaningless. See --weights.")
    small = {"num_self_attends_per_block": 2, "max_length": 128} if options.quick else {}
    return kp.from_preset("perceiver_io_language_bytes", **small)


if __name__ == "__main__":
    main()
