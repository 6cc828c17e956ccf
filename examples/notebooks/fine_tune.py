# %% [markdown]
# # Fine-tune published weights
#
# `kp.from_preset("hf://deepmind/language-perceiver")` downloads published weights; this notebook
# does the same with a small language model that it trains itself, so that it runs anywhere in a few
# minutes: the calls are the same.

# %%
import tempfile

import numpy as np

import keras_perceiver as kp

random = np.random.default_rng(0)
words = "the cat sat on a mat and one red bird flew over my house as dogs ran"
words = words.split()
texts = [" ".join(random.choice(words, 6)) for _ in range(2000)]
ids = kp.text_to_ids(texts, 32)
ids.shape

# %% [markdown]
# Pretraining: fill in masked bytes. No labels are needed.

# %%
model = kp.build_masked_language_model(32, dim=64)
hidden = (random.random(ids.shape) < 0.15) & (ids > 0)
model.fit(np.where(hidden, 3, ids), ids, sample_weight=hidden, batch_size=64, epochs=8, verbose=0)
scores = model.evaluate(
    np.where(hidden, 3, ids), ids, sample_weight=hidden, verbose=0, return_dict=True
)
print({name: round(float(value), 3) for name, value in scores.items()})

# %% [markdown]
# A preset is a directory that `kp.from_preset` reads, as it reads `hf://user/name`.

# %%
folder = tempfile.mkdtemp()
model.save_to_preset(f"{folder}/small_language_model")
pretrained = kp.from_preset(f"{folder}/small_language_model")

# %% [markdown]
# Fine-tuning: does a text say "bird"? With 64 labels, from the pretrained encoder and from scratch.

# %%
labels = np.array([int("bird" in text) for text in texts])
few, new = slice(0, 64), slice(1000, None)


def accuracy(start):
    classifier = kp.build_classifier(kp.Text(32, dim=64), num_classes=2)
    if start is not None:
        kp.transfer(start, classifier)
    classifier.fit(ids[few], labels[few], batch_size=16, epochs=30, verbose=0)
    return classifier.evaluate(ids[new], labels[new], verbose=0, return_dict=True)["accuracy"]


print(f"most frequent class {max(labels[new].mean(), 1 - labels[new].mean()):.3f}")
print(f"from scratch        {accuracy(None):.3f}")
print(f"pretrained          {accuracy(pretrained):.3f}")

# %% [markdown]
# Few weights: LoRA trains small adapters and leaves the others as they are; int8 makes files four
# times smaller.

# %%
classifier = kp.build_classifier(kp.Text(32, dim=64), num_classes=2)
print(kp.transfer(pretrained, classifier))
kp.finetuning.enable_lora(classifier, rank=4, learning_rate=5e-3)
trainable = sum(int(np.prod(w.shape)) for w in classifier.trainable_weights)
classifier.fit(ids[few], labels[few], batch_size=16, epochs=30, verbose=0)
score = classifier.evaluate(ids[new], labels[new], verbose=0, return_dict=True)["accuracy"]
print(f"LoRA {score:.3f} with {trainable:,} of {classifier.count_params():,} weights")
