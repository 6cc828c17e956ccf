"""Plots of a model's attention to its inputs, and of its learning curves."""

from keras_perceiver.visualization.attention_maps import attention_maps
from keras_perceiver.visualization.draw_attention import draw_attention
from keras_perceiver.visualization.draw_history import draw_history

__all__ = ["attention_maps", "draw_attention", "draw_history"]
