"""Makes small_models.npz: small random models of transformers, run in PyTorch.

pip install torch==2.13.0 transformers==5.23.0
python tests/checkpoints/make_models.py
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.checkpoints.small_models import FAMILIES, FILE, weight

SIZES = {
    "num_latents": 5,
    "d_latents": 24,
    "num_self_attends_per_block": 2,
    "num_self_attention_heads": 4,
    "num_cross_attention_heads": 1,
    "attention_probs_dropout_prob": 0.1,
}
TEXT = {"d_model": 16, "max_position_embeddings": 11, "qk_channels": 8, "v_channels": 24}
IMAGES = {"num_labels": 7, "num_blocks": 2}
CONFIGS = {
    "language": ("PerceiverForMaskedLM", {**TEXT, "num_cross_attention_heads": 2}),
    "text": ("PerceiverForSequenceClassification", {**TEXT, "num_labels": 3}),
    "fourier": ("PerceiverForImageClassificationFourier", {**IMAGES, "image_size": 13}),
    "learned": ("PerceiverForImageClassificationLearned", {**IMAGES, "image_size": 6}),
    "conv": ("PerceiverForImageClassificationConvProcessing", {**IMAGES, "image_size": 28}),
    "flow": ("PerceiverForOpticalFlow", {"train_size": [5, 7]}),
    "multimodal": (
        "PerceiverForMultimodalAutoencoding",
        {
            "num_labels": 7,
            "num_frames": 3,
            "image_size": 8,
            "audio_samples_per_frame": 32,
            "samples_per_patch": 16,
            "output_shape": [1, 3, 8, 8],
            "output_num_channels": 17,
            "_label_trainable_num_channels": 13,
        },
    ),
}


def draw(family, rng):
    """Inputs in our layout, channels last."""
    if family in ("language", "text"):
        ids = rng.integers(0, 262, (3, 11)).astype("int32")
        mask = np.arange(11) < np.array([[7], [11], [1]])
        return {"text": np.where(mask, np.maximum(ids, 1), 0).astype("int32"), "text_mask": mask}
    if family == "flow":
        return {"frames": rng.uniform(-1, 1, (2, 2, 5, 7, 3)).astype("float32")}
    if family == "multimodal":
        return {
            "video": rng.uniform(0, 1, (2, 3, 8, 8, 3)).astype("float32"),
            "audio": rng.uniform(-1, 1, (2, 96, 1)).astype("float32"),
            "label": rng.normal(size=(2, 7)).astype("float32"),
        }
    side = CONFIGS[family][1]["image_size"]
    images = {"image": (3 * rng.normal(size=(2, side, side, 3)) + 5).astype("float32")}
    if family == "fourier":
        images["wide"] = rng.normal(size=(2, 7, 11, 3)).astype("float32")
    return images


def patches(frames):
    """(batch, 2, 27, height, width): the 3 x 3 neighbourhood of each pixel."""
    height, width = frames.shape[2:4]
    padded = np.pad(frames, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    near = [padded[:, :, r : r + height, c : c + width] for r in range(3) for c in range(3)]
    return np.moveaxis(np.concatenate(near, -1), -1, 2)


def run(family, model, inputs):
    tensors = {name: torch.tensor(array) for name, array in inputs.items()}
    if family in ("language", "text"):
        mask = tensors["text_mask"].int()
        logits = model(input_ids=tensors["text"].long(), attention_mask=mask).logits
        return {"logits": logits}
    if family == "flow":
        return {"logits": model(inputs=torch.tensor(patches(inputs["frames"]))).logits}
    if family == "multimodal":
        given = {**tensors, "image": tensors.pop("video").movedim(-1, -3)}
        given = {"image": given["image"], "audio": given["audio"], "label": given["label"]}
        points = {"image": torch.arange(3 * 8 * 8), "audio": torch.arange(6), "label": None}
        return dict(model(inputs=given, subsampled_output_points=points).logits)
    answers = {"image": "logits", "wide": "wide_logits"}
    return {
        answers[name]: model(inputs=tensor.movedim(-1, 1)).logits
        for name, tensor in tensors.items()
    }


def main():
    found = {}
    for family in FAMILIES:
        architecture, sizes = CONFIGS[family]
        config = transformers.PerceiverConfig(**{**SIZES, **sizes})
        model = getattr(transformers, architecture)(config).eval()
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            with safe_open(Path(folder) / "model.safetensors", framework="np") as file:
                shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
            text = (Path(folder) / "config.json").read_text()
        state = {}
        for name, value in model.state_dict().items():
            if name in shapes and value.is_floating_point():
                state[name] = torch.tensor(weight(name, tuple(value.shape)))
        loaded = model.load_state_dict(state, strict=False)
        print(family, len(shapes), "not in the file:", loaded.missing_keys)
        inputs = draw(family, np.random.default_rng(7))
        with torch.no_grad():
            outputs = run(family, model, inputs)
        found[family] = json.dumps({"config": text, "shapes": shapes})
        found |= {f"{family}/inputs/{name}": array for name, array in inputs.items()}
        found |= {f"{family}/outputs/{name}": value.numpy() for name, value in outputs.items()}
        print({k: (tuple(v.shape), float(v.abs().max())) for k, v in outputs.items()})
    np.savez_compressed(FILE, **found)


if __name__ == "__main__":
    main()
