# %% [markdown]
# # Search, then serve
#
# Keras Tuner finds sizes within a budget; the best model is exported for TensorFlow Serving and
# asked there with plain TensorFlow. A minute on two cores.

# %%
import tempfile

import keras_tuner
import numpy as np
import tensorflow as tf

import keras_perceiver as kp

train, test = kp.data.digits(batch_size=64, seed=1)
print(kp.costs({"inputs": (8, 8, 1), "outputs": kp.Classes(10)}, batch=64))

# %% [markdown]
# Every trial of this search is a valid model within the budget of parameters and operations.

# %%
folder = tempfile.mkdtemp()
hypermodel = kp.tuning.PerceiverHyperModel(
    (8, 8, 1), num_classes=10, budget={"parameters": 200_000, "flops": 30e6}
)
tuner = keras_tuner.RandomSearch(
    hypermodel, objective="val_loss", max_trials=4, seed=1, directory=folder, project_name="digits"
)
tuner.search(train, validation_data=test, epochs=3, verbose=0)
best = hypermodel.arguments(tuner.get_best_hyperparameters()[0])
best

# %%
model = kp.build_classifier((8, 8, 1), num_classes=10, **best)
model.fit(train, epochs=15, verbose=0)
print(kp.costs(model))
print(f"{model.evaluate(test, verbose=0, return_dict=True)['accuracy']:.3f} of new digits")

# %% [markdown]
# A version is written, loaded and compared before it is moved into place.
# TensorFlow alone reads it.

# %%
path = kp.export.saved_model(model, f"{folder}/digits_served", class_names=list("0123456789"))
served = tf.saved_model.load(str(path))
images, labels = next(test.as_numpy_iterator())
answers = served.signatures["serving_default"](array=tf.constant(images))["classes"].numpy()
print(sorted(served.signatures), np.abs(answers - model.predict(images, verbose=0)).max())

# %% [markdown]
# The same model takes PNG or JPEG files as bytes, decoded as in training:

# %%
png = tf.io.encode_png(tf.cast(images[0] * 255, tf.uint8)).numpy()
answer = served.signatures["serve_bytes"](array=tf.constant([png]))["classes"].numpy()
print("read as", answer.argmax(), "is", labels[0])
