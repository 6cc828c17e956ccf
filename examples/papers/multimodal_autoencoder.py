"""Video, sound and label through one small array of latents, at three rates of compression.

    python examples/papers/multimodal_autoencoder.py      (one seed, 22 minutes on a busy core)
    python examples/papers/multimodal_autoencoder.py --seeds 3 --results examples/results

Made films of a moving handwritten digit with a tone (`kp.data.load("moving_digits")`, 256 samples
of sound), each with its digit as a label: 3,466 values an example. The model reconstructs all of
them; in training the label is missing from half of the examples, in the test from all, so that its
reconstruction is a classification. The paper's 784, 392 and 196 latents are a sixth, a 12th and a
24th of the values of its clips (its 88x, 176x and 352x also count positions and padding); the
latents here have the same shares. As in the paper, a last run gives the label a larger weight.
Beside it: every frame as the mean of the clip's (as many values as an eighth); each frame made
smaller and enlarged again by bicubic interpolation, at as many values as the latents; silence; and
the most frequent digit. PSNR is the mean over examples, of video from 0 to 1 and of sound from -1
to 1 (peak 2). With `--results`, also draws frames and sound side by side.

In so few steps the films are blurred, worse than the bicubic ones, and sound is learned with the
most latents alone: at 12x and 24x it is as far off as silence.

PSNR in dB, or labels right in %, mean of three seeds (least to most), 1500 steps:

    6x: video                  20.076 (19.994 to 20.214)
    6x: audio                  20.131 (19.736 to 20.431)
    6x: label                  31.667 (22.700 to 47.800)
    12x: video                 19.947 (19.716 to 20.176)
    12x: audio                 18.348 (18.336 to 18.363)
    12x: label                 40.733 (34.600 to 48.300)
    24x: video                 18.442 (18.003 to 19.277)
    24x: audio                 18.364 (18.358 to 18.369)
    24x: label                 42.733 (25.000 to 55.900)
    6x, for the label: video   17.879 (17.504 to 18.628)
    6x, for the label: audio   18.692 (18.381 to 19.116)
    6x, for the label: label   83.200 (74.300 to 91.800)
    mean frame: video          18.166 (18.166 to 18.166)
    bicubic, 6x: video         21.309 (21.309 to 21.309)
    bicubic, 12x: video        20.280 (20.280 to 20.280)
    bicubic, 24x: video        18.978 (18.978 to 18.978)
    silence: audio             18.315 (18.315 to 18.315)
    most frequent digit: label 10.000 (10.000 to 10.000)

The claim does not show: at 6x, 12x and 24x video 20.1, 19.9 and 18.4 dB, audio 20.1, 18.3 and 18.4
dB; a larger weight of the label: +51.5 % right, video -2.2 dB.

On the paper's data set, where you have it (videos by class; see docs/data.md):

    python examples/papers/multimodal_autoencoder.py --dataset kinetics_videos --steps 1000000 \\
        --source_dir DIRECTORY --preset perceiver_io_multimodal_autoencoder --batch_size 1024
"""

import keras
import numpy as np
import tensorflow as tf
from experiment import Experiment, fit, run

import keras_perceiver as kp

LATENTS = {"6x": 12, "12x": 6, "24x": 3}
OF_PRESET = {"6x": 784, "12x": 392, "24x": 196}
WIDTH = 48
WEIGHTS = {"video": 1.0, "audio": 1.0, "label": 0.03}
FOR_LABEL = {**WEIGHTS, "label": 1.0}
PARTS = ("video", "audio", "label")
# Mean and standard deviation of the made films' pixels and samples. Most pixels are black: without
# this, or with the paper's absolute error, whose best constant is black, 1,500 steps learn nothing.
STANDARD = {"video": (0.09, 0.137), "audio": (0.0, 0.266)}
LOSS = {
    "video": "mse",
    "audio": "mse",
    "label": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
}


def pipelines(options, seed):
    """Training and test batches (inputs, targets), dicts with video, audio and label."""
    made = options.dataset == "moving_digits"
    sizes = {"sampling_rate": 256} if made else {}
    where = {"data_dir": options.data_dir, "source_dir": options.source_dir}
    found = kp.data.recipe(options.dataset, **where, **sizes)
    num_classes = 10 if made else found.num_classes

    def of_all(inputs, labels):
        # moving_digits has zeros and ones of digits, tones and both; the first ten are digits
        if made:
            labels = tf.argmax(labels[:, :10], axis=-1, output_type=tf.int32)
            inputs = {key: (inputs[key] - mean) / std for key, (mean, std) in STANDARD.items()}
        inputs = {**inputs, "label": tf.one_hot(labels, num_classes)}
        return inputs, {**inputs, "label": labels}

    for split in (options.train, options.test):
        batches = kp.data.load(
            options.dataset, split, batch_size=options.batch_size, seed=seed, **where, **sizes
        )
        yield batches.map(of_all)
    yield num_classes


def natural(part, array, options):
    """Pixels from 0 to 1, sound from -1 to 1, labels as they are."""
    array = np.asarray(array)
    if options.dataset != "moving_digits" or part == "label":
        return array
    mean, std = STANDARD[part]
    return array * std + mean


_models = {}  # rows of the table share models


def trained(options, seed, rate, weights):
    """The model for the test, and the batches of the test."""
    key = (seed, options.steps, options.dataset, options.train, rate, str(weights))
    if key in _models:
        return _models[key]
    train, test, num_classes = pipelines(options, seed)

    def build(hidden, num_decoded):
        """The label is hidden from this share of the examples."""
        given = {"mask_probs": {"label": hidden}, "num_decoded": num_decoded}
        if options.preset:
            inputs = {
                **kp.presets.get(options.preset).arguments["inputs"],
                "label": kp.Labels(num_classes),
            }
            return kp.from_preset(
                options.preset, inputs=inputs, num_latents=OF_PRESET[rate], **given
            )
        inputs = {
            "video": kp.Video(8, 20, 20, 1),
            "audio": kp.Audio(256, samples_per_patch=16),
            "label": kp.Labels(num_classes),
        }
        return kp.build_autoencoder(
            inputs,
            num_latents=LATENTS[rate],
            latent_dim=WIDTH,
            learning_rate=2e-3,
            loss=LOSS,
            loss_weights=weights,
            **given,
        )

    if options.preset:
        model = build(0.5, {"video": 512, "audio": 32})
        how = kp.training.recipe("multimodal", batch_size=options.batch_size, steps=options.steps)
        # The paper's weights of the loss: 0.03, 1 and 0.0001, or 1 for the label.
        label = 1.0 if weights is FOR_LABEL else 1e-4
        how.compile(model, loss_weights={"video": 0.03, "audio": 1.0, "label": label})
    else:
        model = build(0.5, {"video": 512})
    fit(model, kp.data.sample_queries(train, model, seed), options.steps)
    whole = build(1.0, None)
    kp.transfer(model, whole, part="all")
    _models[key] = whole, test
    return _models[key]


def psnr(given, found, peak):
    """Peak signal-to-noise ratio of each example, in dB."""
    error = np.mean((given - found) ** 2, axis=tuple(range(1, given.ndim)))
    return 10 * np.log10(peak**2 / error)


def scored(part, given, found):
    """The score of each example of one part."""
    if part == "label":
        return 100.0 * (np.argmax(found, axis=-1) == given)
    return psnr(given, found, peak={"video": 1, "audio": 2}[part])


def reconstructed(model, inputs, options):
    inputs = {key: np.asarray(array) for key, array in inputs.items()}
    found = model.decode(model.encode(inputs), chunk_size=16384)
    return {part: natural(part, found[part], options) for part in PARTS}


_scores = {}  # of all parts of a reconstruction


def perceiver(rate, part, weights=WEIGHTS):
    def score(seed, options):
        model, test = trained(options, seed, rate, weights)
        if model not in _scores:
            parts = []
            for inputs, targets in test:
                found = reconstructed(model, inputs, options)
                given = {key: natural(key, targets[key], options) for key in PARTS}
                parts.append({key: scored(key, given[key], found[key]) for key in PARTS})
            _scores[model] = {
                key: np.mean(np.concatenate([p[key] for p in parts])) for key in PARTS
            }
        if options.results and seed == 0 and (rate, part) == ("24x", "label"):
            draw(options)
        return _scores[model][part]

    return score


def simple(part, guess):
    """A baseline: `guess` makes reconstructions from the targets of one part."""

    def score(seed, options):
        train, test, num_classes = pipelines(options, seed)
        most = 0
        if part == "label":
            labels = np.concatenate([np.asarray(targets["label"]) for _, targets in train])
            most = np.bincount(labels).argmax()
        scores = []
        for _, targets in test:
            given = natural(part, targets[part], options)
            found = np.eye(num_classes)[[most] * len(given)] if guess is None else guess(given)
            scores.append(scored(part, given, found))
        return np.mean(np.concatenate(scores))

    return score


def smaller(values):
    """Each frame is made so small that a clip has at most `values` in all, and enlarged again."""

    def guess(clips):
        frames = clips.reshape(-1, *clips.shape[2:])
        side = int(np.sqrt(values / (clips.shape[1] * clips.shape[-1])))
        small = tf.image.resize(frames, (side, side), "bicubic", antialias=True)
        return tf.image.resize(small, frames.shape[1:3], "bicubic").numpy().reshape(clips.shape)

    return guess


def draw(options):
    """Frames and sound of a test example, given and reconstructed at the three rates."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = {"given": None}
    for rate in LATENTS:
        model, test = trained(options, 0, rate, WEIGHTS)
        inputs = {key: array[:1] for key, array in next(iter(test))[0].items()}
        rows["given"] = {part: natural(part, inputs[part], options) for part in PARTS}
        rows[rate] = reconstructed(model, inputs, options)
    shape = {"figsize": (11, 5), "width_ratios": (3, 2), "layout": "constrained"}
    figure, axes = pyplot.subplots(len(rows), 2, **shape)
    for (film, sound), (name, row) in zip(axes, rows.items()):
        video = np.asarray(row["video"])[0]
        shown = video[:: max(1, len(video) // 8)]
        picture = np.clip(np.hstack(list(shown)), 0, 1)
        film.imshow(picture.squeeze(), cmap="grey", vmin=0, vmax=1)
        film.set(xticks=[], yticks=[], ylabel=name)
        sound.plot(np.asarray(row["audio"])[0], linewidth=0.7)
        sound.set(ylim=(-1, 1), xticks=[])
    options.results.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.results / "multimodal_autoencoder.png", dpi=110)
    pyplot.close(figure)


def verdict(means):
    kept = [[means[f"{rate}: {part}"] for rate in LATENTS] for part in ("video", "audio")]
    falls = all(values[0] > values[1] > values[2] for values in kept)
    named = means["6x, for the label: label"] - means["6x: label"]
    lost = means["6x, for the label: video"] - means["6x: video"]
    sentence = (
        "at 6x, 12x and 24x "
        + ", ".join(f"{p} {a:.1f}, {b:.1f} and {c:.1f} dB" for p, (a, b, c) in zip(PARTS, kept))
        + f"; a larger weight of the label: {named:+.1f} % right, video {lost:+.1f} dB"
    )
    return falls and named > 0 > lost, sentence


EXPERIMENT = Experiment(
    name="multimodal_autoencoder",
    title="Multimodal autoencoding",
    claim="Kinetics-700-2020 at 88x, 176x, 352x: video 24.37, 24.27, 23.21 dB, sound 26.97, 25.33, "
    "14.15 dB, top-1 10.2, 8.6, 11.5 %; with a larger weight of the label 45 % at 20.7 dB "
    "(Perceiver IO, table 4 and section 4.3)",
    unit="PSNR in dB, or labels right in %",
    variants={
        **{f"{rate}: {part}": perceiver(rate, part) for rate in LATENTS for part in PARTS},
        **{f"6x, for the label: {part}": perceiver("6x", part, FOR_LABEL) for part in PARTS},
        "mean frame: video": simple("video", lambda clips: clips.mean(1, keepdims=True)),
        **{
            f"bicubic, {rate}: video": simple("video", smaller(number * WIDTH))
            for rate, number in LATENTS.items()
        },
        "silence: audio": simple("audio", np.zeros_like),
        "most frequent digit: label": simple("label", None),
    },
    verdict=verdict,
    data="moving digits with tones",
    steps=1500,
    baselines=(
        "mean frame: video",
        *(f"bicubic, {rate}: video" for rate in LATENTS),
        "silence: audio",
        "most frequent digit: label",
    ),
    needs_data=(
        ("--dataset", {"default": "moving_digits"}),
        ("--source_dir", {"help": "your files, for kinetics_videos"}),
        ("--train", {"default": "train", "help": "split"}),
        ("--test", {"default": "test", "help": "split"}),
        ("--preset", {"help": "a published architecture"}),
        ("--batch_size", {"type": int, "default": 64}),
    ),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
