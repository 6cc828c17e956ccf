"""Layers from arrays to arrays: the building blocks of the papers."""

from keras_perceiver.layers.attention import Attention
from keras_perceiver.layers.common_width import CommonWidth
from keras_perceiver.layers.convex_upsampling import ConvexUpsampling
from keras_perceiver.layers.cross_attention import CrossAttention
from keras_perceiver.layers.feed_forward import FeedForward
from keras_perceiver.layers.fourier_encoding import FourierEncoding
from keras_perceiver.layers.latent_transformer import LatentTransformer
from keras_perceiver.layers.learned_array import LearnedArray
from keras_perceiver.layers.output_query_decoder import OutputQueryDecoder
from keras_perceiver.layers.self_attention import SelfAttention
from keras_perceiver.layers.separable_cross_attention import SeparableCrossAttention
from keras_perceiver.layers.separable_query_attention import SeparableQueryAttention
from keras_perceiver.layers.split_lengths import SplitLengths

__all__ = [
    "Attention",
    "CommonWidth",
    "ConvexUpsampling",
    "CrossAttention",
    "FeedForward",
    "FourierEncoding",
    "LatentTransformer",
    "LearnedArray",
    "OutputQueryDecoder",
    "SelfAttention",
    "SeparableCrossAttention",
    "SeparableQueryAttention",
    "SplitLengths",
]
