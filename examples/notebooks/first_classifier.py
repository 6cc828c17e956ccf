# %% [markdown]
# # A first classifier
#
# Handwritten digits of 8 x 8 pixels, from an array to a model that is trained, seen inside and
# exported. It runs in a minute on two cores.

# %%
import numpy as np

import keras_perceiver as kp

train, test = kp.data.digits(batch_size=32, seed=1)
images, labels = (np.concatenate(parts) for parts in zip(*test.as_numpy_iterator()))
images.shape, labels.shape

# %% [markdown]
# The shape of an example and the number of classes are all that a model needs to know. What else it
# needs, it chooses: `summary` says what and why.

# %%
model = kp.build_classifier((8, 8, 1), num_classes=10)
kp.describe(model)

# %% [markdown]
# Before a long training: is anything wrong with these data?

# %%
kp.check(model, train)

# %%
history = model.fit(train, validation_data=test, epochs=15, verbose=0)
kp.visualization.draw_history(history)

# %% [markdown]
# Which digits are read wrongly, and where did the model look? Attention shows where it looks, not
# why it answers so.

# %%
found = model.predict(images, verbose=0).argmax(-1)
wrong = np.flatnonzero(found != labels)[:4]
right = np.flatnonzero(found == labels)[:8]
chosen = np.concatenate([right, wrong])
maps = kp.visualization.attention_maps(model, images[chosen])["classes"]["array"][:, 0]
print(f"{np.mean(found == labels):.3f} of {len(labels)} new digits are read rightly")
kp.visualization.draw_attention(images[chosen], maps, labels[chosen], found[chosen], columns=12)

# %% [markdown]
# The model is an ordinary Keras model: it is saved and loaded as any, and exported for TensorFlow
# Serving with one call. The export is loaded and compared before it is moved into place.

# %%
import tempfile

import keras

folder = tempfile.mkdtemp()
model.save(f"{folder}/digits.keras")
again = keras.models.load_model(f"{folder}/digits.keras")
print(np.abs(again.predict(images, verbose=0) - model.predict(images, verbose=0)).max())
version = kp.export.saved_model(model, f"{folder}/digits")
print(sorted(path.name for path in version.iterdir()))
