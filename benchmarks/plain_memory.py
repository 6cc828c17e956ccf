"""Estimates the memory of plain attention, so that peers are not run without enough memory."""

from pathlib import Path

# Number of equal attention layers, heads, queries, inputs, width of the inputs.
ATTENTIONS = {
    "encoder_attention": [(1, 1, 512, 50176, 261)],
    "perceiver_imagenet": [(8, 1, 512, 50176, 261), (48, 8, 512, 512, 1024)],
    "perceiver_io_imagenet_fourier": [(1, 1, 512, 50176, 261), (48, 8, 512, 512, 1024)],
    "perceiver_io_imagenet_learned": [(1, 1, 512, 50176, 512), (48, 8, 512, 512, 1024)],
    "perceiver_io_imagenet_conv": [(1, 1, 512, 3136, 322), (48, 8, 512, 512, 1024)],
    "language": [(1, 8, 256, 2048, 768), (26, 8, 256, 256, 1280), (1, 8, 2048, 256, 1280)],
    "optical_flow": [
        (1, 1, 2048, 182528, 322),
        (24, 16, 2048, 2048, 512),
        (1, 1, 182528, 2048, 512),
    ],
    "multimodal": [(1, 1, 784, 52097, 704), (8, 8, 784, 784, 512), (1, 1, 6288, 784, 512)],
}


def plain_bytes(work):
    """Three copies of the largest layer's scores; in training, two more copies for all layers."""
    attentions = ATTENTIONS.get(work["case"])
    if attentions is None:
        side = work.get("side", 224)
        attentions = [(1, 1, 512, side * side, 261), (work.get("depth", 0), 8, 512, 512, 1024)]
    sizes = [(n, heads * q * v, 4 * v * width) for n, heads, q, v, width in attentions]
    floats = max(3 * scores + values for _, scores, values in sizes)
    if work["mode"] == "train":
        floats += sum(n * (2 * scores + values) for n, scores, values in sizes)
    return floats * work["batch"] * {"float32": 4, "bfloat16": 2}[work["dtype"]]


def available_bytes():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError("no MemAvailable")


def too_large(work, device="cpu"):
    """Why a peer is not measured, or None if it is."""
    needed = plain_bytes(work)
    if device != "cpu" or needed < 0.95 * available_bytes():
        return None
    return f"needs about {needed / 2**30:.0f} GiB"
