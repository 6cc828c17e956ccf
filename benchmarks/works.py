"""The measured works: each is a case with batch, mode and dtype (and sizes, in the sweeps)."""

CASES = (
    "encoder_attention",
    "perceiver_imagenet",
    "perceiver_io_imagenet_fourier",
    "perceiver_io_imagenet_learned",
    "perceiver_io_imagenet_conv",
    "language",
    "optical_flow",
    "multimodal",
)

TITLES = {
    "encoder_attention": "Encoder cross-attention, 224 x 224, 512 latents",
    "perceiver_imagenet": "Perceiver ImageNet, eight cross-attends",
    "perceiver_io_imagenet_fourier": "Perceiver IO ImageNet, Fourier",
    "perceiver_io_imagenet_learned": "Perceiver IO ImageNet, learned positions",
    "perceiver_io_imagenet_conv": "Perceiver IO ImageNet, convolution",
    "language": "Perceiver IO language, 2,048 bytes",
    "optical_flow": "Perceiver IO optical flow, 368 x 496",
    "multimodal": "Perceiver IO multimodal, one chunk of 128",
    "inputs": "Encoder cross-attention by inputs",
    "depth": "One cross-attend by depth",
    "tiny": "A tiny model",
}

VARIANTS = ("perceiver_io_imagenet_learned", "perceiver_io_imagenet_conv")

SIDES = (64, 128, 256, 512, 1024)
DEPTHS = (0, 6, 12, 24)


def work(case, batch=1, mode="forward", dtype="float32", **sizes):
    return {"case": case, "batch": batch, "mode": mode, "dtype": dtype, **sizes}


def full_works(cases=CASES):
    return [
        work(case, batch, mode, dtype)
        for dtype in ("float32", "bfloat16")
        for case in cases
        for batch, mode in ((1, "forward"), (4, "forward"), (1, "train"))
    ]


def quick_works(cases=CASES):
    works = [work(case) for case in CASES if case not in VARIANTS]
    works.insert(1, work("encoder_attention", 1, "train"))
    works.insert(3, work("perceiver_imagenet", 1, "train"))
    works += [work(case, dtype="bfloat16") for case in ("encoder_attention", "language")]
    works.append(work("encoder_attention", 4))
    return [one for one in works if one["case"] in cases]


# For slow cases, --quick and --few-peers measure only the peers that were fastest before.
QUICK_PEERS = {
    ("perceiver_imagenet", "forward"): ["transformers compiled", "transformers in OpenVINO"],
    ("perceiver_imagenet", "train"): ["transformers"],
    ("optical_flow", "forward"): ["transformers compiled", "transformers in OpenVINO"],
    ("optical_flow", "train"): ["transformers"],
}


def quick_peers(work):
    """Names of the peers to measure, or None for all."""
    return QUICK_PEERS.get((work["case"], work["mode"]))


def sweeps():
    """Works for the cost by number of inputs, and by depth with few and with many inputs."""
    inputs = [work("inputs", side=side) for side in SIDES]
    return inputs + [work("depth", side=side, depth=d) for side in (64, 224) for d in DEPTHS]


def memory_works(cases=CASES, quick=False):
    if quick:
        works = [work(c, mode="train") for c in ("encoder_attention", "perceiver_imagenet")]
        return [one for one in works if one["case"] in cases]
    return [work(case, mode=mode) for case in cases for mode in ("forward", "train")]


def profiles(cases=CASES, quick=False):
    wanted = ("perceiver_imagenet",)
    if not quick:
        wanted += ("language", "optical_flow")
    return [work(case) for case in wanted if case in cases]


def key(work):
    """A string that identifies a work."""
    return " ".join(f"{name}={value}" for name, value in sorted(work.items()))


def title(work):
    sizes = [f"{name} {work[name]}" for name in ("side", "depth") if name in work]
    return ", ".join([TITLES[work["case"]], *sizes])
