"""Make the golden files: small random Perceiver models, their inputs and their outputs.

The reference is the PyTorch port of Perceiver IO in Hugging Face transformers. Every family is
written in two numerics: "huggingface" runs the reference modules as shipped (eval mode), and
"deepmind" runs the same modules after the repairs in this file that give DeepMind's numerics.
Both share inputs and weights, so a difference between the two files is a difference in numerics.

Models run in float64 and are stored as float32, so the files hold no accumulated rounding.
Fourier features come from `precise_fourier` below for the same reason: in float32 the reference
rounds the coordinate before multiplying it by pi times the highest frequency, which costs a few
1e-6 on the coarse image grids used here, 1.2e-5 on the audio positions and far more at published
sizes. `--check` prints what that costs.

    python tests/golden/make_golden.py           # write the files, print and test the differences
    python tests/golden/make_golden.py --check   # also compare with NumPy and with float32 runs
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import MethodType

import numpy as np
import torch
from random_weight import random_weight
from torch import nn
from transformers import PerceiverConfig
from transformers.models.perceiver import modeling_perceiver as reference

HERE = Path(__file__).parent
SEED = 2107
NUMERICS = ("huggingface", "deepmind")
SHIPPED_FOURIER = reference.PerceiverFourierPositionEncoding.forward


@dataclass
class Case:
    """One model with its inputs (channels-last) and the way to run it."""

    config: dict
    model: nn.Module
    inputs: dict
    run: Callable  # (model, inputs as torch tensors) -> dict of outputs
    repairs: list = field(default_factory=list)  # functions that turn the model into DeepMind's
    repaired_config: dict = field(default_factory=dict)  # what these change in the config


# --- Exact Fourier features -------------------------------------------------------------------


def grid_positions(index_dims):
    """Dense coordinates, both ends included, [prod(index_dims), d] in float64."""
    axes = [torch.linspace(-1, 1, n, dtype=torch.float64) for n in index_dims]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(index_dims))


def subsampled_positions(rounded, index_dims):
    """Undo the float32 rounding of -1 + 2 i / n by going back to the integer i."""
    sizes = torch.tensor(list(index_dims), dtype=torch.float64)
    return -1 + 2 * torch.round((rounded.double() + 1) / 2 * sizes) / sizes


def precise_fourier(self, index_dims, batch_size, device, dtype, pos=None):
    """Positions, then all sines, then all cosines, dimension-major, computed in float64."""
    pos = grid_positions(index_dims) if pos is None else subsampled_positions(pos[0], index_dims)
    features = [pos]
    for wave in (torch.sin, torch.cos):
        for axis, resolution in enumerate(self.max_resolution):
            bands = torch.linspace(1, resolution / 2, self.num_bands, dtype=torch.float64)
            features.append(wave(math.pi * pos[:, axis, None] * bands))
    return torch.cat(features, -1).to(dtype).expand(batch_size, -1, -1)


# --- DeepMind's numerics ----------------------------------------------------------------------


def use_tanh_gelu(model):
    for module in model.modules():
        if isinstance(module, reference.PerceiverMLP):
            module.intermediate_act_fn = nn.GELU(approximate="tanh")


def drop_decoder_residual(model):
    attention = model.perceiver.decoder.decoder.decoding_cross_attention.attention
    attention.use_query_residual = False


def pad_conv_stem_same(model):
    """TF "same" padding for even sizes: 2 before and 3 after the 7x7, 1 after the pool."""
    stem = model.perceiver.input_preprocessor.convnet
    stem.conv.zero_pad_2d = nn.ZeroPad2d((2, 3, 2, 3))
    stem.max_pool = nn.Sequential(nn.ConstantPad2d((0, 1, 0, 1), -torch.inf), stem.max_pool)


def masked_attention(self, hidden_states, attention_mask=None, inputs=None, inputs_mask=None, *_):
    """Attention where masked scores become -1e30 and rows with no key at all become zero.

    A mask is the reference's additive [B, 1, Tq, Tk]: zero where the key may be seen.
    """
    hidden_states = self.layernorm1(hidden_states)
    inputs = hidden_states if inputs is None else self.layernorm2(inputs)

    def split(x):
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    q, k, v = split(self.query(hidden_states)), split(self.key(inputs)), split(self.value(inputs))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if inputs_mask is not None:
        scores = torch.where(inputs_mask == 0, scores, -1e30)
    mixed = scores.softmax(-1) @ v
    if inputs_mask is not None:
        mixed = mixed * (inputs_mask == 0).any(-1, keepdim=True)
    return (mixed.transpose(1, 2).flatten(2),)


def honour_masks(model):
    for module in model.modules():
        if isinstance(module, reference.PerceiverSelfAttention):
            module.forward = MethodType(masked_attention, module)


def decode_with_query_mask(self, query, z, query_mask=None, output_attentions=False):
    """The decoder, with padded queries seeing no latent."""
    if query_mask is not None:  # the encoder's mask, [B, 1, latents, tokens]
        query_mask = query_mask[:, :, :1, :].mT.expand(-1, -1, -1, z.shape[1])
    output = self.decoding_cross_attention(query, inputs=z, inputs_mask=query_mask)[0]
    return reference.PerceiverDecoderOutput(logits=self.final_layer(output))


def honour_query_mask(model):
    decoder = model.perceiver.decoder
    decoder.forward = MethodType(decode_with_query_mask, decoder)


# --- Random weights and inputs ----------------------------------------------------------------


def randomise(model, rng):
    shapes = {name: tuple(value.shape) for name, value in sorted(model.state_dict().items())}
    state = {name: random_weight(name, shape, rng) for name, shape in shapes.items()}
    model.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    return state


def normal(rng, *shape):
    return rng.standard_normal(shape).astype("float32")


def prefix_mask(lengths, size):
    return (np.arange(size) < np.array(lengths)[:, None]).astype("int32")


# --- Building blocks --------------------------------------------------------------------------


class Wrapped(nn.Module):
    """Puts a PerceiverModel under the name `perceiver`, as in the shipped task classes."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)


def encoder_config(**changes):
    """Sizes of the encoder under neutral names; every family starts from these."""
    config = {
        "batch_size": 2,
        "num_latents": 7,
        "latent_dim": 24,
        "num_blocks": 1,
        "num_self_attends_per_block": 2,
        "cross_heads": 1,
        "self_heads": 4,
        "cross_widening": 1,
        "self_widening": 1,
        "qk_channels": None,
        "v_channels": None,
        "attention_width_from": "kv",
        "encoder_query_residual": True,
        "layer_norm_epsilon": 1e-5,
        "activation": "gelu_erf",
    }
    return config | changes


def shipped_config(config, **extra):
    return PerceiverConfig(
        num_latents=config["num_latents"],
        d_latents=config["latent_dim"],
        num_blocks=config["num_blocks"],
        num_self_attends_per_block=config["num_self_attends_per_block"],
        num_cross_attention_heads=config["cross_heads"],
        num_self_attention_heads=config["self_heads"],
        cross_attention_widening_factor=config["cross_widening"],
        self_attention_widening_factor=config["self_widening"],
        qk_channels=config["qk_channels"],
        v_channels=config["v_channels"],
        **extra,
    )


def fourier_kwargs(bands, resolution):
    return {
        "num_bands": bands,
        "max_resolution": tuple(resolution),
        "concat_pos": True,
        "sine_only": False,
    }


def channels_first(x):
    """[..., H, W, C] to [..., C, H, W]."""
    return x.movedim(-1, -3)


def run_perceiver(perceiver, *args, **kwargs):
    """Outputs of the model together with the encoder's input, when there is a preprocessor."""
    seen = {}
    handle = None
    if perceiver.input_preprocessor is not None:
        handle = perceiver.input_preprocessor.register_forward_hook(
            lambda module, inputs, outputs: seen.update(preprocessed=outputs[0])
        )
    outputs = perceiver(*args, **kwargs)
    if handle:
        handle.remove()
    return outputs, seen | {"latents": outputs.last_hidden_state}


# --- Families ---------------------------------------------------------------------------------


def encoder(rng):
    """Encoder alone: prepared inputs, padding mask, repeated block, widened feed-forwards."""
    config = encoder_config(
        batch_size=3, num_tokens=19, input_channels=13, num_blocks=2,
        num_self_attends_per_block=3, cross_widening=2, self_widening=3,
    )  # fmt: skip
    model = reference.PerceiverModel(shipped_config(config, d_model=config["input_channels"]))
    inputs = {
        "inputs": normal(rng, 3, 19, 13),
        "mask": prefix_mask((11, 19, 5), 19),
        "mask_with_empty_row": prefix_mask((11, 0, 5), 19),
    }

    def run(model, x):
        masks = {"": x["mask"], "_empty_row": x["mask_with_empty_row"], "_no_mask": None}
        return {
            "latents" + suffix: model(x["inputs"], attention_mask=mask).last_hidden_state
            for suffix, mask in masks.items()
        }

    return Case(config, model, inputs, run, [honour_masks])


def classifier(config, rng, preprocessor_kwargs, **case):
    """An image preprocessor, the encoder and the one-query classification decoder."""
    shipped = shipped_config(config, num_labels=config["num_classes"])
    decoder = reference.PerceiverClassificationDecoder(
        shipped,
        num_channels=config["latent_dim"],
        trainable_position_encoding_kwargs={"num_channels": config["latent_dim"], "index_dims": 1},
        use_query_residual=config["decoder_query_residual"],
    )
    preprocessor = reference.PerceiverImagePreprocessor(
        shipped, spatial_downsample=1, **preprocessor_kwargs
    )
    model = Wrapped(
        perceiver=reference.PerceiverModel(
            shipped, input_preprocessor=preprocessor, decoder=decoder
        )
    )
    image = normal(rng, config["batch_size"], *config["image_shape"])

    def run(model, x):
        outputs, parts = run_perceiver(model.perceiver, channels_first(x["image"]))
        return parts | {"logits": outputs.logits}

    return Case(config, model, {"image": image}, run, **case)


def classifier_config(**changes):
    return encoder_config(
        num_blocks=2,
        num_classes=5,
        query_channels=24,
        decoder_heads=1,
        decoder_qk_channels=None,
        decoder_v_channels=None,
        decoder_query_residual=True,
        **changes,
    )


def vision_fourier(rng):
    config = classifier_config(
        batch_size=3,
        image_shape=[11, 13, 3],
        num_bands=5,
        max_resolution=[11, 13],
        num_tokens=143,
        input_channels=25,
    )
    fourier = fourier_kwargs(config["num_bands"], config["max_resolution"])
    return classifier(
        config, rng, {"prep_type": "pixels", "fourier_position_encoding_kwargs": fourier}
    )


def vision_learned(rng):
    config = classifier_config(
        image_shape=[11, 13, 3],
        conv_channels=12,
        position_channels=12,  # the reference needs these two to be equal
        projected_position_channels=10,
        num_tokens=143,
        input_channels=22,
    )
    kwargs = {
        "prep_type": "conv1x1",
        "out_channels": config["conv_channels"],
        "position_encoding_type": "trainable",
        "concat_or_add_pos": "concat",
        "project_pos_dim": config["projected_position_channels"],
        "trainable_position_encoding_kwargs": {
            "num_channels": config["position_channels"],
            "index_dims": 143,
        },
    }
    return classifier(
        config, rng, kwargs,
        repairs=[drop_decoder_residual],
        repaired_config={"decoder_query_residual": False},
    )  # fmt: skip


def vision_conv(rng):
    """The stem's kernel is stored as PyTorch reads it: out, in, height, width.

    The converter of the published checkpoint wrote out, in, width, height. `logits_oiwh`, in the
    deepmind file only, is what the same array gives when it is read in that order.
    """
    config = classifier_config(
        image_shape=[32, 40, 3],
        conv_channels=9,
        conv_kernel_axes="OIHW",
        conv_padding=[3, 3],
        pool_padding=[0, 0],
        batch_norm_epsilon=1e-5,
        num_bands=4,
        max_resolution=[8, 10],
        feature_shape=[7, 9],
        num_tokens=63,
        input_channels=27,
    )
    kwargs = {
        "prep_type": "conv",
        "out_channels": config["conv_channels"],
        "position_encoding_type": "fourier",
        "fourier_position_encoding_kwargs": fourier_kwargs(4, config["max_resolution"]),
    }
    repaired = {
        "conv_padding": [2, 3],
        "pool_padding": [0, 1],
        "feature_shape": [8, 10],
        "num_tokens": 80,
    }
    case = classifier(config, rng, kwargs, repairs=[pad_conv_stem_same], repaired_config=repaired)
    run_once = case.run

    def run(model, x):
        outputs = run_once(model, x)
        conv = model.perceiver.input_preprocessor.convnet.conv
        if conv.zero_pad_2d.padding == (2, 3, 2, 3):
            kernel = conv.weight.data
            conv.weight.data = kernel.mT.contiguous()
            outputs["logits_oiwh"] = run_once(model, x)["logits"]
            conv.weight.data = kernel
        return outputs

    case.run = run
    return case


def language(rng):
    """Masked language model over bytes, with a tied output embedding."""
    config = encoder_config(
        latent_dim=40, cross_heads=2, qk_channels=20, v_channels=40,
        vocab_size=262, max_positions=17, num_tokens=17, input_channels=24, query_channels=24,
        decoder_heads=3, decoder_qk_channels=18, decoder_v_channels=24,
        decoder_query_residual=False, final_project=False, query_mask_in_decoder=False,
        empty_rows="uniform",
    )  # fmt: skip
    width, length = config["input_channels"], config["max_positions"]
    shipped = shipped_config(
        config, d_model=width, vocab_size=config["vocab_size"], max_position_embeddings=length
    )
    decoder = reference.PerceiverBasicDecoder(
        shipped,
        output_num_channels=config["latent_dim"],
        output_index_dims=length,
        num_channels=width,
        qk_channels=config["decoder_qk_channels"],
        v_channels=config["decoder_v_channels"],
        num_heads=config["decoder_heads"],
        use_query_residual=False,
        final_project=False,
        trainable_position_encoding_kwargs={"num_channels": width, "index_dims": length},
    )
    model = Wrapped(
        perceiver=reference.PerceiverModel(
            shipped,
            input_preprocessor=reference.PerceiverTextPreprocessor(shipped),
            decoder=decoder,
        ),
        embedding_decoder=reference.PerceiverEmbeddingDecoder(shipped),
    )
    mask = prefix_mask((11, 17), length)
    inputs = {
        "ids": rng.integers(3, 262, (2, length)).astype("int32") * mask,
        "mask": mask,
        "mask_with_empty_row": prefix_mask((11, 0), length),
    }

    def run(model, x):
        masks = {"": x["mask"], "_empty_row": x["mask_with_empty_row"], "_no_mask": None}
        results = {}
        for suffix, mask in masks.items():
            outputs, parts = run_perceiver(model.perceiver, x["ids"], attention_mask=mask)
            results["preprocessed"] = parts["preprocessed"]
            results["latents" + suffix] = parts["latents"]
            results["logits" + suffix] = model.embedding_decoder(
                outputs.logits, embedding_layer=model.perceiver.input_preprocessor.embeddings
            )
        return results

    repaired = {"query_mask_in_decoder": True, "empty_rows": "zero"}
    return Case(config, model, inputs, run, [honour_masks, honour_query_mask], repaired)


def flow_patches(frames):
    """3x3 neighbourhoods of zero-padded frames: [B, T, H, W, 3] to [B, T, H, W, 27]."""
    _, _, height, width, _ = frames.shape
    padded = np.pad(frames, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.concatenate(shifted, -1)


def flow(rng):
    """Optical flow. The output is the network's own, before DeepMind's factor of 20."""
    config = encoder_config(
        image_shape=[10, 14, 3], num_frames=2, patch_size=3, patch_channels=27,
        projected_channels=11, num_bands=4, max_resolution=[10, 14], num_tokens=140,
        input_channels=29, query_channels=29, decoder_heads=1, decoder_qk_channels=None,
        decoder_v_channels=None, decoder_query_residual=False, output_channels=2,
        rescale_factor=100.0,
    )  # fmt: skip
    size = config["max_resolution"]
    fourier = fourier_kwargs(config["num_bands"], size)
    shipped = shipped_config(config)
    preprocessor = reference.PerceiverImagePreprocessor(
        shipped, prep_type="patches", spatial_downsample=1, temporal_downsample=2,
        conv_after_patching=True, conv_after_patching_in_channels=54,
        out_channels=config["projected_channels"], position_encoding_type="fourier",
        fourier_position_encoding_kwargs=fourier,
    )  # fmt: skip
    decoder = reference.PerceiverOpticalFlowDecoder(
        shipped, num_channels=preprocessor.num_channels, output_image_shape=size,
        output_num_channels=2, rescale_factor=100.0, use_query_residual=False,
        position_encoding_type="fourier", fourier_position_encoding_kwargs=fourier,
    )  # fmt: skip
    model = Wrapped(
        perceiver=reference.PerceiverModel(
            shipped, input_preprocessor=preprocessor, decoder=decoder
        )
    )
    frames = normal(rng, 2, 2, *config["image_shape"])
    patches = np.ascontiguousarray(np.moveaxis(flow_patches(frames), -1, 2))

    def run(model, x):
        outputs, parts = run_perceiver(model.perceiver, x["patches"])
        return parts | {"flow": outputs.logits}

    return Case(config, model, {"frames": frames, "patches": patches}, run)


def multimodal(rng):
    """Video, audio and label autoencoding; the label token is always replaced by its mask."""
    config = encoder_config(
        video_shape=[3, 16, 20, 3], video_patch=[1, 4, 4], video_bands=3,
        video_max_resolution=[3, 4, 5], audio_samples=84, samples_per_patch=4, audio_bands=5,
        audio_max_resolution=[84], num_classes=7, min_padding=4, query_min_padding=2,
        label_query_channels=13, mask_probs={"audio": 0.0, "image": 0.0, "label": 1.0},
        input_padding={"audio": 58, "image": 4, "label": 66}, input_channels=73,
        query_padding={"audio": 12, "image": 2, "label": 10}, query_channels=23,
        tokens={"audio": 21, "image": 60, "label": 1}, num_tokens=82,
        queries={"audio": 21, "image": 960, "label": 1},
        decoder_heads=1, decoder_qk_channels=None, decoder_v_channels=None,
        decoder_query_residual=False, decoder_output_channels=17,
    )  # fmt: skip
    shipped = shipped_config(config, num_labels=7, samples_per_patch=4)
    perceiver = reference.PerceiverModel(
        shipped,
        input_preprocessor=multimodal_preprocessor(shipped, config),
        decoder=multimodal_decoder(shipped, config),
        output_postprocessor=multimodal_postprocessor(shipped, config),
    )
    check_paddings(perceiver, config)
    inputs = {
        "image": normal(rng, 2, *config["video_shape"]),
        "audio": normal(rng, 2, config["audio_samples"], 1),
        "label": normal(rng, 2, config["num_classes"]),
        "image_indices": rng.permutation(960)[:31].astype("int32"),
        "audio_indices": rng.permutation(21)[:8].astype("int32"),
    }

    def run(model, x):
        batch = {"image": channels_first(x["image"]), "audio": x["audio"], "label": x["label"]}
        full = {"image": torch.arange(960), "audio": torch.arange(21), "label": None}
        part = {"image": x["image_indices"], "audio": x["audio_indices"], "label": None}
        results = {}
        for suffix, points in {"": full, "_subsampled": part}.items():
            outputs, parts = run_perceiver(model.perceiver, batch, subsampled_output_points=points)
            results |= parts
            results |= {name + suffix: value for name, value in outputs.logits.items()}
        return results

    return Case(config, Wrapped(perceiver=perceiver), inputs, run)


def multimodal_fourier(config):
    return {
        "audio": fourier_kwargs(config["audio_bands"], config["audio_max_resolution"]),
        "image": fourier_kwargs(config["video_bands"], config["video_max_resolution"]),
    }


def multimodal_preprocessor(shipped, config):
    fourier = multimodal_fourier(config)
    modalities = {
        "audio": reference.PerceiverAudioPreprocessor(
            shipped, prep_type="patches", samples_per_patch=config["samples_per_patch"],
            position_encoding_type="fourier", fourier_position_encoding_kwargs=fourier["audio"],
        ),
        "image": reference.PerceiverImagePreprocessor(
            shipped, prep_type="patches", spatial_downsample=4, temporal_downsample=1,
            position_encoding_type="fourier", fourier_position_encoding_kwargs=fourier["image"],
        ),
        "label": reference.PerceiverOneHotPreprocessor(shipped),
    }  # fmt: skip
    return reference.PerceiverMultimodalPreprocessor(
        modalities, config["mask_probs"], config["min_padding"]
    )


def multimodal_decoder(shipped, config):
    fourier = multimodal_fourier(config)
    channels = config["decoder_output_channels"]
    query_only = {
        "concat_preprocessed_input": False,
        "use_query_residual": False,
        "position_encoding_only": True,
    }
    modalities = {
        "audio": reference.PerceiverBasicDecoder(
            shipped, output_index_dims=(21,), output_num_channels=channels,
            position_encoding_type="fourier", fourier_position_encoding_kwargs=fourier["audio"],
            **query_only,
        ),
        "image": reference.PerceiverBasicVideoAutoencodingDecoder(
            shipped, output_shape=[1, *config["video_shape"][:3]], output_num_channels=channels,
            position_encoding_type="fourier", fourier_position_encoding_kwargs=fourier["image"],
            **query_only,
        ),
        "label": reference.PerceiverClassificationDecoder(
            shipped, position_encoding_type="trainable",
            trainable_position_encoding_kwargs={
                "num_channels": config["label_query_channels"], "index_dims": 1,
            },
            **query_only,
        ),
    }  # fmt: skip
    return reference.PerceiverMultimodalDecoder(
        shipped, modalities=modalities, num_outputs=None, output_num_channels=channels,
        min_padding_size=config["query_min_padding"], concat_preprocessed_input=False,
        use_query_residual=False,
    )  # fmt: skip


def multimodal_postprocessor(shipped, config):
    channels = config["decoder_output_channels"]
    return reference.PerceiverMultimodalPostprocessor(
        {
            "audio": reference.PerceiverAudioPostprocessor(shipped, in_channels=channels),
            "image": reference.PerceiverProjectionPostprocessor(channels, out_channels=3),
            "label": reference.PerceiverClassificationPostprocessor(shipped, in_channels=channels),
        }
    )


def check_paddings(perceiver, config):
    """The sizes written in the config must be those the reference derives."""
    for module, key in ((perceiver.input_preprocessor, "input"), (perceiver.decoder, "query")):
        widths = {name: pad.shape[1] for name, pad in module.padding.items()}
        assert widths == config[key + "_padding"], widths


FAMILIES = {
    "encoder": encoder,
    "vision_fourier": vision_fourier,
    "vision_learned": vision_learned,
    "vision_conv": vision_conv,
    "language": language,
    "flow": flow,
    "multimodal": multimodal,
}


# --- Running and writing ----------------------------------------------------------------------


def as_tensors(inputs, dtype):
    tensors = {name: torch.tensor(value) for name, value in inputs.items()}
    return {n: t.to(dtype) if t.is_floating_point() else t.long() for n, t in tensors.items()}


def make(family, numerics, dtype=torch.float64, tanh=True):
    """Build one model, run it, and return every array of its file."""
    rng = np.random.default_rng([SEED, list(FAMILIES).index(family)])
    case = FAMILIES[family](rng)
    weights = randomise(case.model, rng)
    config = {"family": family, "numerics": numerics} | case.config
    if numerics == "deepmind":
        config |= {"activation": "gelu_tanh"} | case.repaired_config
        for repair in [*case.repairs, *([use_tanh_gelu] if tanh else [])]:
            repair(case.model)
    model = case.model.eval().to(dtype)
    with torch.no_grad():
        outputs = case.run(model, as_tensors(case.inputs, dtype))
    arrays = {"config": np.array(json.dumps(config, sort_keys=True))}
    arrays |= {f"input/{name}": value for name, value in case.inputs.items()}
    arrays |= {f"weight/{name}": value for name, value in weights.items()}
    arrays |= {f"output/{n}": v.numpy().astype("float32") for n, v in outputs.items()}
    tokens = arrays.get("output/preprocessed", arrays.get("input/inputs"))
    assert tokens.shape[1:] == (config["num_tokens"], config["input_channels"]), tokens.shape
    return arrays


# --- Differences between the two numerics -----------------------------------------------------

GELU = (1e-5, 1e-2)  # only the activation differs
LARGE = (2e-2, 1e3)  # the operation differs
SAME = (0.0, 0.0)


def slices(family, arrays):
    """Outputs by name; with a mask, padded and valid positions (or examples) apart."""
    outputs = {k[7:]: v for k, v in arrays.items() if k.startswith("output/")}
    for name in [n for n in outputs if n.endswith("_empty_row")]:
        value = outputs.pop(name)
        mask = arrays["input/mask_with_empty_row"].astype(bool)
        full = mask if name.startswith("logits") else mask.any(1)
        outputs |= {name + " (seen)": value[full], name + " (empty)": value[~full]}
    if family == "language":
        value, mask = outputs.pop("logits"), arrays["input/mask"].astype(bool)
        outputs |= {"logits (valid)": value[mask], "logits (padded)": value[~mask]}
    return outputs


def expected_range(family, name):
    if family == "vision_conv":
        return LARGE
    if name == "preprocessed":
        return SAME
    if "(empty)" in name or "(padded)" in name:
        return LARGE
    if family == "vision_learned" and name == "logits":
        return LARGE
    return (1e-7, 1e-4) if name == "flow" else GELU  # flow is divided by 100


def report_differences(family, files):
    first, second = (slices(family, files[numerics]) for numerics in NUMERICS)
    for name in [*first, *(second.keys() - first.keys())]:
        value, other = first.get(name), second[name]
        if value is None or value.shape != other.shape:
            print(f"{family:15} {name:26} {'-':>9} {np.abs(other).max():9.3f} {other.std():7.3f}")
            continue
        difference = float(np.abs(value - other).max())
        size, spread = np.abs(value).max(), value.std()
        print(f"{family:15} {name:26} {difference:9.1e} {size:9.3f} {spread:7.3f}")
        low, high = expected_range(family, name)
        assert low <= difference <= high, f"{family} {name}: {difference} not in [{low}, {high}]"
    for name, value in {**first, **second}.items():
        assert np.isfinite(value).all() and value.std() > 1e-4, f"{family} {name} is trivial"


# --- Checks -----------------------------------------------------------------------------------


def numpy_encoder(arrays, mask):
    """Family "encoder" in plain NumPy float64, written from the equations."""
    config = json.loads(str(arrays["config"]))
    weights = {k[7:]: v.astype("float64") for k, v in arrays.items() if k.startswith("weight/")}
    deepmind = config["numerics"] == "deepmind"
    erf = np.vectorize(math.erf)

    def dense(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weights[name + ".weight"] + weights[name + ".bias"]

    def gelu(x):
        if deepmind:
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return 0.5 * x * (1 + erf(x / math.sqrt(2)))

    def attend(q, k, v, heads, seen):
        q, k, v = (np.stack(np.split(x, heads, -1), 1) for x in (q, k, v))
        scores = np.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(q.shape[-1])
        scores = np.where(seen[:, None, None], scores, -1e30)
        weight = np.exp(scores - scores.max(-1, keepdims=True))
        weight /= weight.sum(-1, keepdims=True)
        if deepmind:
            weight = weight * seen.any(-1)[:, None, None, None]
        return np.concatenate(np.moveaxis(np.einsum("bhqk,bhkd->bhqd", weight, v), 1, 0), -1)

    def layer(z, tokens, name, heads, seen):
        inner = name + ".attention.self."
        query = norm(z, inner + "layernorm1")
        keys = query if tokens is None else norm(tokens, inner + "layernorm2")
        q = dense(query, inner + "query")
        k, v = (dense(keys, inner + part) for part in ("key", "value"))
        z = z + dense(attend(q, k, v, heads, seen), name + ".attention.output.dense")
        hidden = gelu(dense(norm(z, name + ".layernorm"), name + ".mlp.dense1"))
        return z + dense(hidden, name + ".mlp.dense2")

    tokens = arrays["input/inputs"].astype("float64")
    z = np.repeat(weights["embeddings.latents"][None], len(tokens), 0)
    z = layer(z, tokens, "encoder.cross_attention", config["cross_heads"], mask.astype(bool))
    everything = np.ones(z.shape[:2], bool)
    for _ in range(config["num_blocks"]):
        for index in range(config["num_self_attends_per_block"]):
            name = f"encoder.self_attends.{index}"
            z = layer(z, None, name, config["self_heads"], everything)
    return z


def check_encoder(files):
    masks = {"": "mask", "_empty_row": "mask_with_empty_row"}
    for numerics, arrays in files.items():
        for suffix, mask in masks.items():
            expected = numpy_encoder(arrays, arrays["input/" + mask])
            difference = np.abs(expected - arrays["output/latents" + suffix]).max()
            print(f"encoder {numerics:12} latents{suffix:10} NumPy {difference:.1e}")
            assert difference < 1e-5


def check_empty_rows(files):
    """DeepMind's padded positions attend to nothing, so they all share one output."""
    arrays = files["deepmind"]
    padded = arrays["output/logits"][arrays["input/mask"] == 0]
    assert np.abs(padded - padded[0]).max() == 0, "padded logits should be one constant"


def check_masks_alone(family, files):
    """Without the tanh, the repaired masks must leave seen and valid positions untouched."""
    shipped = slices(family, files["huggingface"])
    for name, value in slices(family, make(family, "deepmind", tanh=False)).items():
        difference = np.abs(value - shipped[name]).max()
        print(f"{family:15} {name:26} masks only {difference:.1e}")
        assert "(empty)" in name or "(padded)" in name or difference < 1e-6


def check_float32(family, files):
    """Distance of the untouched float32 reference from the file: rounding, nothing else."""
    reference.PerceiverFourierPositionEncoding.forward = SHIPPED_FOURIER
    single = make(family, "huggingface", torch.float32)
    reference.PerceiverFourierPositionEncoding.forward = precise_fourier
    for key in (k for k in single if k.startswith("output/")):
        difference = np.abs(single[key] - files["huggingface"][key]).max()
        print(f"{family:15} {key[7:]:26} float32 {difference:.1e}")
        assert difference < 1e-4, key


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="also run the slower checks")
    parser.add_argument("--directory", type=Path, default=HERE, help="where to write the files")
    arguments = parser.parse_args()
    reference.PerceiverFourierPositionEncoding.forward = precise_fourier
    print(f"{'family':15} {'output':26} {'|HF-DM|':>9} {'max |HF|':>9} {'std':>7}")
    everything = {}
    for family in FAMILIES:
        everything[family] = files = {numerics: make(family, numerics) for numerics in NUMERICS}
        report_differences(family, files)
        for numerics, arrays in files.items():
            np.savez_compressed(arguments.directory / f"{family}_{numerics}.npz", **arrays)
    if arguments.check:
        check_encoder(everything["encoder"])
        check_empty_rows(everything["language"])
        for family in ("encoder", "language"):
            check_masks_alone(family, everything[family])
        for family, files in everything.items():
            check_float32(family, files)


if __name__ == "__main__":
    main()
