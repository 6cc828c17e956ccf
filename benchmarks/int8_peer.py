"""Writes transformers' language model for OpenVINO, in float32 and, by nncf, in int8.

    python -m benchmarks.int8_peer FOLDER LAYERS

Runs in the peers' environment. The examples for the ranges are in FOLDER/ids.npy.
"""

import sys
from pathlib import Path

import nncf
import numpy as np
import openvino
import torch
from transformers import PerceiverConfig, PerceiverForMaskedLM


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs):
        return self.model(inputs=inputs).logits


def main(folder, layers):
    torch.manual_seed(0)
    sizes = {"qk_channels": 256, "v_channels": 1280, "num_self_attends_per_block": layers}
    model = PerceiverForMaskedLM(PerceiverConfig(**sizes)).eval()
    ids = np.load(folder / "ids.npy").astype("int64")
    with torch.no_grad():
        converted = openvino.convert_model(
            Logits(model), example_input=torch.tensor(ids[:1]), input=[-1, ids.shape[1]]
        )
    openvino.save_model(converted, folder / "peer-float.xml", compress_to_fp16=False)
    small = nncf.quantize(
        converted,
        nncf.Dataset([one[None] for one in ids]),
        subset_size=len(ids),
        model_type=nncf.ModelType.TRANSFORMER,
    )
    openvino.save_model(small, folder / "peer-int8.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
