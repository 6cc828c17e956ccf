"""Looking inside: attention, attributions, and learning curves."""

from keras_perceiver.visualization.attention_maps import attention_maps
from keras_perceiver.visualization.attention_to_tensorboard import AttentionToTensorBoard
from keras_perceiver.visualization.draw_attention import draw_attention
from keras_perceiver.visualization.draw_history import draw_history
from keras_perceiver.visualization.integrated_gradients import integrated_gradients
from keras_perceiver.visualization.plot_attention import plot_attention
from keras_perceiver.visualization.plot_positions import plot_positions

__all__ = [
    "AttentionToTensorBoard",
    "attention_maps",
    "draw_attention",
    "draw_history",
    "integrated_gradients",
    "plot_attention",
    "plot_positions",
]
