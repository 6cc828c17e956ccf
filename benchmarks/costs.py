"""Compares `training_bytes` of `kp.costs` with the memory that a training step takes.

    python benchmarks/costs.py          (writes benchmarks/results/costs.md)

Each model trains two steps in a process of its own, on CPU, without XLA. Measured is the peak
memory of the process during the steps, less that of a process which trains a tiny model.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.side import resident

WIDE = {"num_latents": 256, "latent_dim": 256}
FOUR = {"num_cross_attention_heads": 4, "qk_channels": 64, "v_channels": 64}


def cases():
    """{name: (arguments of build_perceiver_io, batch sizes)}."""
    import keras_perceiver as kp
    from keras_perceiver import presets

    image, ten = kp.Image(64, 64), kp.Classes(10)
    published = dict(presets.get("perceiver_io_imagenet_fourier").arguments)
    classes = kp.Classes(published.pop("num_classes"), head=published.pop("head"))
    grid = kp.Array((64, 64, 2), positions="fourier", num_bands=16)

    def pixels(**options):
        return {"inputs": image, "outputs": ten, **WIDE, **options}

    return {
        "tiny": ({"inputs": (4, 2), "outputs": ten, "num_latents": 2, "latent_dim": 4}, (1,)),
        "64 x 64 pixels": (pixels(), (64,)),
        "64 x 64 pixels, plain": (pixels(attention="plain"), (16,)),
        "64 x 64 pixels, one head, chunked": (pixels(attention="chunked"), (16,)),
        "64 x 64 pixels, four heads, chunked": (pixels(attention="chunked", **FOUR), (16,)),
        "2,048 bytes of text": (
            {"inputs": kp.Text(2048, dim=128), "outputs": kp.Classes(4), **WIDE}, (16,)
        ),
        "2,048 bytes of text, 12 layers": (
            {"inputs": kp.Text(2048, dim=128), "outputs": kp.Classes(4), **WIDE,
             "num_self_attends_per_block": 12}, (16,)
        ),
        "2,048 bytes of text, 12 layers, recompute": (
            {"inputs": kp.Text(2048, dim=128), "outputs": kp.Classes(4), **WIDE, "recompute": True,
             "num_self_attends_per_block": 12}, (16,)
        ),
        "100,000 bytes of text": (
            {"inputs": kp.Text(100_000, dim=128), "outputs": kp.Classes(4), **WIDE}, (1,)
        ),
        "labels of 64 x 64 pixels": (
            {"inputs": image, "outputs": kp.Grid((64, 64), num_classes=5), **WIDE}, (8,)
        ),
        "optical flow, 64 x 96 pixels": (
            {"inputs": kp.FramePair(64, 96), "outputs": kp.Flow(), **WIDE}, (4,)
        ),
        "autoencoder of 64 x 64 pixels": (
            {"inputs": image, "outputs": kp.Reconstruction("image"), **WIDE}, (8,)
        ),
        "autoencoder of a grid, plain": (
            {"inputs": grid, "outputs": kp.Reconstruction("array"), **WIDE,
             "attention": "plain"}, (8,)
        ),
        "perceiver_io_imagenet_fourier": (
            {**published, "outputs": classes, "use_query_residual": True}, (1,)
        ),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", help="train this model, in this process")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--only", default="", help="only the models whose name contains this")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(of_steps(options.case, options.batch)))
        return
    base = in_a_process("tiny", 1)["peak"]
    lines = [
        "A training step without XLA on CPU, in MiB. Measured is the peak memory of a process of "
        f"two steps, less the {base / 2**20:,.0f} MiB of a process that trains a tiny model.",
        "",
        "| model | ways | batch | measured | estimated | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for name, (_, batches) in list(cases().items())[1:]:
        for batch in batches if options.only in name else ():
            found = in_a_process(name, batch)
            measured, estimated = (found["peak"] - base) / 2**20, found["estimated"] / 2**20
            ways = ", ".join(found["ways"].values())
            lines.append(
                f"| {name} | {ways} | {batch} | {measured:,.0f} | {estimated:,.0f} | "
                f"{estimated / measured:.2f} |"
            )
            print(lines[-1], f"(before {(found['before'] - base) / 2**20:,.0f})", flush=True)
    if options.only:
        return
    lines += [
        "",
        "`recompute=True` saves less than it could, and how much depends on the order in which "
        "TensorFlow runs: its estimate is rougher than the others.",
        "",
        "Written by `python benchmarks/costs.py`.",
    ]
    path = Path(__file__).parent / "results" / "costs.md"
    path.write_text("\n".join(lines) + "\n")
    print(path)


def in_a_process(name, batch):
    """What `of_steps` tells, from a process of its own."""
    command = [sys.executable, __file__, "--case", name, "--batch", str(batch)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def of_steps(name, batch):
    """Peak memory of this process in two training steps, and what `kp.costs` tells."""
    import keras_perceiver as kp

    arguments = {"initialization": "papers", **cases()[name][0]}
    model = kp.build_perceiver_io(**arguments, jit_compile=False)
    raw = model.encoder.input
    one = not isinstance(raw, dict)
    x = {key: zeros(batch, tensor) for key, tensor in ({"": raw} if one else raw).items()}
    x = x[""] if one else x
    y = targets(model, batch)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of building
    before = resident("VmRSS")
    for _ in range(2):
        model.train_on_batch(x, y)
    found = kp.costs(model, batch)
    return {
        "before": before,
        "peak": resident("VmHWM"),
        "estimated": found.training_bytes,
        "ways": found.ways,
    }


def zeros(batch, tensor):
    """A batch for a symbolic tensor."""
    import numpy as np

    return np.zeros((batch, *tensor.shape[1:]), tensor.dtype)


def targets(model, batch):
    """Zeros for the only output."""
    import numpy as np

    (output,) = model.output_descriptions.values()
    shape = output.shape[:-1] if output.num_classes else output.shape
    return np.zeros((batch, *shape), "int32" if output.num_classes else "float32")


if __name__ == "__main__":
    main()
