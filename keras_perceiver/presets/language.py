"""Masked language models, and the classifier of the GLUE tasks."""

from keras_perceiver.inputs.text import Text
from keras_perceiver.models.masked_language_model import build_masked_language_model
from keras_perceiver.models.multitask_classifier import build_multitask_classifier
from keras_perceiver.outputs.values import Values
from keras_perceiver.presets.preset import Preset

_SIZES = {
    "initialization": "papers",
    "num_latents": 256,
    "latent_dim": 1280,
    "num_self_attends_per_block": 26,
    "num_cross_attention_heads": 8,
    "num_self_attention_heads": 8,
    "qk_channels": 256,
    "v_channels": 1280,
    "num_decoder_heads": 8,
    "decoder_qk_channels": 256,
    "decoder_v_channels": 768,
}

PERCEIVER_IO_LANGUAGE_BYTES = Preset(
    "perceiver_io_language_bytes",
    build_masked_language_model,
    {**_SIZES, "max_length": 2048, "dim": 768},
    parameters=201_108_230,
    gflops=120.95,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 1, UTF-8 bytes: GLUE 81.0. The paper gives 113 "
        "GFLOP, which 24 layers would have; the published model has 26."
    ),
    huggingface="deepmind/language-perceiver",
    deepmind="language_perceiver_io_bytes.pickle",
)

PERCEIVER_IO_LANGUAGE_SENTENCEPIECE = Preset(
    "perceiver_io_language_sentencepiece",
    build_masked_language_model,
    {**_SIZES, "max_length": 512, "vocab_size": 32000, "dim": 768},
    parameters=223_155_456,
    gflops=133.61,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 1, Perceiver IO Base on 32,000 SentencePiece "
        "tokens: GLUE 81.2. The paper gives 119 GFLOP; 25 of these 134 are the logits of 32,000 "
        "tokens. No weights were published."
    ),
)

PERCEIVER_IO_LANGUAGE_PLUS_PLUS = Preset(
    "perceiver_io_language_plus_plus",
    build_masked_language_model,
    {
        **_SIZES,
        "max_length": 2048,
        "dim": 768,
        "latent_dim": 1536,
        "num_self_attends_per_block": 40,
        "v_channels": 1536,
    },
    parameters=425_607_430,
    gflops=240.87,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 1, Perceiver IO++ on UTF-8 bytes: GLUE 81.8. No "
        "weights were published."
    ),
)

# Classes of each task; STS-B is a number. WNLI is excluded, as in the paper.
_GLUE = {"cola": 2, "mnli": 3, "mrpc": 2, "qnli": 2, "qqp": 2, "rte": 2, "sst2": 2}

PERCEIVER_IO_GLUE_MULTITASK = Preset(
    "perceiver_io_glue_multitask",
    build_multitask_classifier,
    {
        **_SIZES,
        "inputs": Text(2048, dim=768),
        "tasks": {**_GLUE, "stsb": Values(1, query_dim=768, hidden_dim=768)},
        "query_dim": 768,
        "hidden_dim": 768,
    },
    parameters=204_278_288,
    gflops=111.04,
    source=(
        "Perceiver IO (arXiv 2107.14795), table 2 and appendix F.4, multitask query: GLUE 81.8. "
        "The encoder is that of perceiver_io_language_bytes; each of the eight tasks has a learned "
        "query and a head of two layers. No weights were published."
    ),
)
