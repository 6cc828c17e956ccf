"""Puts the weights of a golden file into one of our models."""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


class Golden:
    """One file: its `config`, `inputs` and `outputs`, and its weights to be given away."""

    def __init__(self, family, numerics):
        arrays = np.load(HERE / f"{family}_{numerics}.npz")
        self.config = json.loads(str(arrays["config"]))
        self.inputs = {k[6:]: arrays[k] for k in arrays if k.startswith("input/")}
        self.outputs = {k[7:]: arrays[k] for k in arrays if k.startswith("output/")}
        self.weights = {k[7:]: arrays[k] for k in arrays if k.startswith("weight/")}
        self.used = set()

    @property
    def numerics(self):
        """Keyword arguments that choose this file's numerics."""
        huggingface = self.config["numerics"] == "huggingface"
        return {
            "activation": self.config["activation"],
            "masked_rows": "uniform" if huggingface else "zero",
        }

    @property
    def encoder(self):
        """Keyword arguments of the encoder's sizes."""
        config = self.config
        return {
            "num_latents": config["num_latents"],
            "latent_dim": config["latent_dim"],
            "num_blocks": config["num_blocks"],
            "num_self_attends_per_block": config["num_self_attends_per_block"],
            "num_cross_attention_heads": config["cross_heads"],
            "num_self_attention_heads": config["self_heads"],
            "cross_attention_widening_factor": config["cross_widening"],
            "self_attention_widening_factor": config["self_widening"],
            "qk_channels": config["qk_channels"],
            "v_channels": config["v_channels"],
        }

    @property
    def decoder(self):
        """Keyword arguments of the decoder's sizes."""
        config = self.config
        return {
            "num_decoder_heads": config["decoder_heads"],
            "decoder_qk_channels": config["decoder_qk_channels"],
            "decoder_v_channels": config["decoder_v_channels"],
            "use_query_residual": config["decoder_query_residual"],
        }

    def take(self, name):
        self.used.add(name)
        return self.weights[name]

    def assign(self, variable, name, axes=None):
        value = self.take(name)
        variable.assign(value if axes is None else np.transpose(value, axes))

    def dense(self, layer, name):
        self.assign(layer.kernel, f"{name}.weight", (1, 0))
        if layer.use_bias:
            self.assign(layer.bias, f"{name}.bias")

    def norm(self, layer, name):
        self.assign(layer.gamma, f"{name}.weight")
        self.assign(layer.beta, f"{name}.bias")

    def block(self, layer, name):
        """A `CrossAttention` or `SelfAttention`."""
        if hasattr(layer, "query_norm"):
            self.norm(layer.query_norm, f"{name}.attention.self.layernorm1")
            self.norm(layer.value_norm, f"{name}.attention.self.layernorm2")
        else:
            self.norm(layer.attention_norm, f"{name}.attention.self.layernorm1")
        for part in ("query", "key", "value"):
            self.dense(getattr(layer.attention, f"{part}_layer"), f"{name}.attention.self.{part}")
        self.dense(layer.attention.output_layer, f"{name}.attention.output.dense")
        self.norm(layer.feed_forward_norm, f"{name}.layernorm")
        self.dense(layer.feed_forward.hidden_layer, f"{name}.mlp.dense1")
        self.dense(layer.feed_forward.output_layer, f"{name}.mlp.dense2")

    def encoder_weights(self, model, prefix="perceiver."):
        encoder = model.get_layer("encoder")
        self.assign(encoder.get_layer("latents").table, f"{prefix}embeddings.latents")
        cross_attention = encoder.get_layer("encoder_cross_attention")
        self.block(cross_attention, f"{prefix}encoder.cross_attention")
        stack = encoder.get_layer("latent_transformer").self_attends
        for i, layer in enumerate(stack):
            self.block(layer, f"{prefix}encoder.self_attends.{i}")

    def decoder_weights(self, model, prefix="perceiver.decoder.decoder."):
        layer = model.get_layer("decoder").get_layer("output_query_decoder")
        self.block(layer.cross_attention, f"{prefix}decoding_cross_attention")

    def check_all_used(self, but=()):
        unused = set(self.weights) - self.used - set(but)
        assert not unused, f"weights of the golden file that went nowhere: {sorted(unused)}"
