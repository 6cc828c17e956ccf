"""The outputs of peers on PyTorch."""

import torch


def tensors(outputs):
    """All outputs of a model: a tensor, or `logits`, which are a tensor or a dict of tensors."""
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    logits = outputs.logits
    return list(logits.values()) if isinstance(logits, dict) else [logits]
