# %% [markdown]
# # Describe your data
#
# A model is described by what goes in and what comes out. Here: a picture and a row of facts, and a
# class and a number for each example. The data are made, so that one knows what is to be found.

# %%
import numpy as np

import keras_perceiver as kp

random = np.random.default_rng(0)
count = 1200
images = random.normal(size=(count, 12, 12, 1)).astype("float32") * 0.3
facts = random.normal(size=(count, 4)).astype("float32")
kind = random.integers(0, 3, count)
for number, (top, left) in enumerate(((0, 0), (0, 6), (6, 3))):
    images[kind == number, top : top + 6, left : left + 6] += 1.0  # a bright square
price = (2 * facts[:, :1] - facts[:, 2:3] + kind[:, None]).astype("float32")  # needs both
facts[random.random(facts.shape) < 0.05] = np.nan  # some are missing
inputs = {"image": images, "facts": facts}
targets = {"kind": kind, "price": price}

# %%
model = kp.build_perceiver_io(
    inputs={"image": kp.Image(12, 12, 1), "facts": kp.Table(4)},
    outputs={"kind": kp.Classes(3), "price": kp.Values(1)},
    loss_weights={"kind": 1.0, "price": 0.3},
)
kp.describe(model)

# %%
seen, new = slice(0, 1000), slice(1000, None)


def part(arrays, rows):
    return {name: array[rows] for name, array in arrays.items()}


kp.check(model, (part(inputs, seen), part(targets, seen)))

# %%
model.fit(part(inputs, seen), part(targets, seen), epochs=12, batch_size=32, verbose=0)
scores = model.evaluate(part(inputs, new), part(targets, new), verbose=0, return_dict=True)
blind = np.abs(price[new] - np.median(price[seen])).mean()
always = np.bincount(kind[new]).max() / len(kind[new])
print(f"kind: {scores['kind_accuracy']:.3f} right; always the same: {always:.3f}")
print(f"price: off by {scores['price_mae']:.2f}; always the median: off by {blind:.2f}")

# %% [markdown]
# Which input does each answer come from? Attention gives the share of each; gradients tell what the
# answer depends on. The kind can be seen in the picture alone, the price needs both.

# %%
one = part(inputs, slice(1000, 1064))
for output in ("kind", "price"):
    maps = kp.visualization.attention_maps(model, one)[output]
    added = kp.visualization.integrated_gradients(model, one, output=output, steps=16)
    attention = {name: float(array.reshape(64, -1).sum(1).mean()) for name, array in maps.items()}
    sizes = {name: np.abs(array.reshape(64, -1).sum(1)).mean() for name, array in added.items()}
    share = {name: size / sum(sizes.values()) for name, size in sizes.items()}
    for name in inputs:
        print(f"{output:6} {name:6} attention {attention[name]:.2f}   gradients {share[name]:.2f}")

# %%
kp.visualization.plot_attention(model, one, example=0, output="price")
