"""Masked language models, as keyword arguments of `build_masked_language_model`.

>>> kp.build_masked_language_model(2048, **LANGUAGE)
"""

# Perceiver IO (arXiv 2107.14795), table 1, "Perceiver IO, UTF-8 bytes"; published as
# language-perceiver: 201,108,230 parameters, 120.95 GFLOP, GLUE 81.0.
LANGUAGE = {
    "dim": 768,
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

# Table 1, "Perceiver IO++": 425,607,430 parameters, 240.87 GFLOP, GLUE 81.8.
LANGUAGE_PLUS_PLUS = {
    **LANGUAGE,
    "latent_dim": 1536,
    "num_self_attends_per_block": 40,
    "v_channels": 1536,
}

# Table 1, "Perceiver IO Base, SentencePiece": 512 tokens of 32,000; 223,155,456 parameters,
# GLUE 81.2. Use with max_length=512.
LANGUAGE_SENTENCEPIECE = {**LANGUAGE, "vocab_size": 32000}
