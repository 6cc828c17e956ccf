"""Fine-tuning of a trained model: LoRA, int8 weights, and files of both."""

from keras_perceiver.finetuning.adapters import load_adapters, save_adapters
from keras_perceiver.finetuning.int8 import quantize
from keras_perceiver.finetuning.lora import enable_lora, merge_lora
from keras_perceiver.finetuning.whole_model import load, save

__all__ = [
    "enable_lora",
    "load",
    "load_adapters",
    "merge_lora",
    "quantize",
    "save",
    "save_adapters",
]
