"""How both papers train, as data, each with its table. What they do not state is said to be so."""

from keras_perceiver.presets import KINETICS_LOSS_WEIGHTS

_IO = "Perceiver IO (arXiv 2107.14795)"
_FIRST = "Perceiver (arXiv 2103.03206)"

# Arguments of `TrainingRecipe`, and `epochs`. `peak_per_256` is the learning rate of a batch of 256
# examples, which grows with the batch. None: not stated, and has to be given.
RECIPES = {
    "imagenet": {
        "source": f"{_IO}, appendix A.1, and DeepMind's training code",
        "batch_size": 1024,
        "num_examples": 1_281_167,
        "epochs": 110,
        "peak_per_256": 5e-4,
        "schedule": "flat_then_cosine",
        "schedule_options": {"flat": 0.5},
        "weight_decay": 0.1,
        "global_clipnorm": 10.0,
        "label_smoothing": 0.1,
    },
    "imagenet_perceiver": {
        "source": f"{_FIRST}, section 4.1",
        "unstated": "batch size; weight decay, clipping and label smoothing: as for 'imagenet'",
        "batch_size": None,
        "num_examples": 1_281_167,
        "epochs": 120,
        "peak": 4e-3,
        "schedule": "falling_in_steps",
        "schedule_options": {"at": (84 / 120, 102 / 120, 114 / 120), "factor": 0.1},
        "weight_decay": 0.1,
        "global_clipnorm": 10.0,
        "label_smoothing": 0.1,
    },
    "imagenet_finetuning": {
        "source": f"{_IO}, appendix A: after pretraining on JFT. With a convolution, peak=2e-4",
        "unstated": "weight decay, clipping and label smoothing: as for 'imagenet'",
        "batch_size": 1024,
        "num_examples": 1_281_167,
        "steps": 131_000,
        "peak": 2e-3,
        "schedule": "flat_then_cosine",
        "schedule_options": {"flat": 70 / 131},
        "weight_decay": 0.1,
        "global_clipnorm": 10.0,
        "label_smoothing": 0.1,
    },
    "masked_language_model": {
        "source": f"{_IO}, table 12",
        "unstated": "clipping: none",
        "batch_size": 2048,
        "steps": 500_000,
        "peak": 1.25e-3,
        "schedule": "warm_up_then_cosine",
        "schedule_options": {"warm_up_steps": 1_000},
        "weight_decay": 0.01,
    },
    "glue": {
        "source": (
            f"{_IO}, table 13: the best on the development set of batch sizes 16, 32 and 64 and "
            "learning rates 1e-4, 5e-5, 2e-5 and 1e-5; here one of them"
        ),
        "unstated": "clipping: none; learning rate after the warm-up: constant",
        "batch_size": 32,
        "epochs": 10,
        "peak": 5e-5,
        "schedule": "warm_up_then_flat",
        "schedule_options": {"warm_up_steps": 200},
        "weight_decay": 0.01,
    },
    "optical_flow": {
        "source": f"{_IO}, section 4.2 and appendix H, on AutoFlow",
        "unstated": "weight decay and clipping: none",
        "batch_size": 512,
        "num_examples": 400_000,
        "epochs": 480,
        "peak": 4e-4,
        "schedule": "warm_up_then_cosine",
        "schedule_options": {"warm_up_steps": 0},
    },
    "multimodal": {
        "source": f"{_IO}, appendix G, on Kinetics-700-2020",
        "unstated": (
            "number of steps; optimizer: LAMB; learning rate: constant; weight decay and clipping: "
            "none"
        ),
        "batch_size": 1024,
        "peak": 1e-3,
        "schedule": "constant",
        "losses": {"video": "mae", "audio": "mae"},
        "loss_weights": KINETICS_LOSS_WEIGHTS,
    },
    "audioset": {
        "source": f"{_FIRST}, section 4.2, and {_IO}, table 10",
        "unstated": (
            "batch size, number of examples and learning rate; optimizer: LAMB; learning rate: "
            "constant; weight decay and clipping: none"
        ),
        "batch_size": None,
        "epochs": 100,
        "peak": None,
        "schedule": "constant",
    },
    "modelnet40": {
        "source": f"{_FIRST}, section 4.3: at most 50,000 steps",
        "unstated": "weight decay and clipping: none",
        "batch_size": 512,
        "steps": 50_000,
        "peak": 1e-3,
        "schedule": "constant",
    },
}
