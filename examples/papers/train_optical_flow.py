"""Optical flow learned from warped photographs, tried on others and on a pair of a stereo camera.

    python examples/papers/train_optical_flow.py              (one seed, four minutes)
    python examples/papers/train_optical_flow.py --seeds 3 --results examples/results

Parts of seven photographs (`kp.data.load("photographs")`) are warped by smooth random flow, which
is therefore known exactly: a translation, an affine map and slow waves, in all 1.4 pixels long in
the mean. The test has warps of three other photographs, and the Motorcycle pair with its measured
disparity, a twelfth as large, its right picture moved by the middle disparity, so that what remains
is in the range of the warps; occluded points count. Beside it: no flow at all, and two methods of
OpenCV (`pip install opencv-python-headless`) that need no training. The model sees frames of local
contrast: differences from the surroundings, divided by their size. With `--results`, also draws
flow of both tests.

End-point error in pixels, mean of three seeds (least to most), 1,200 steps:

    Perceiver IO                              0.276 (0.272 to 0.277)
    no flow                                   1.398 (1.357 to 1.434)
    OpenCV, dense inverse search              0.230 (0.225 to 0.236)
    OpenCV, Farneback                         0.665 (0.630 to 0.688)
    Perceiver IO: Motorcycle                  0.547 (0.540 to 0.557)
    no flow: Motorcycle                       1.167
    OpenCV, dense inverse search: Motorcycle  0.423
    OpenCV, Farneback: Motorcycle             0.555

The claim shows: the error of no flow, 1.40 pixels, is 5.1 times that of ours.

On the paper's data sets, where you have them (see docs/data.md):

    python examples/papers/train_optical_flow.py --preset perceiver_io_optical_flow \\
        --source_dir AUTOFLOW --sintel_dir SINTEL --batch_size 512 --steps 375000

The paper also augments AutoFlow by RAFT's curriculum and feeds pairs reversed; here neither.
"""

import itertools

import numpy as np
import tensorflow as tf
from experiment import Experiment, fit, run

import keras_perceiver as kp

HEIGHT, WIDTH = 32, 48
MARGIN = 10  # pixels around a frame, where the other frame may look
SHRUNK = 12  # the Motorcycle pair
SINTEL = (436, 1024)


def photographs(split, data_dir):
    """A few photographs, (number, height, width, 3) from 0 to 1."""
    given = {"batch_size": None, "shuffle": False, "data_dir": data_dir}
    found = kp.data.load("photographs", split, size=(360, 480), **given)
    return np.stack([image for image, _ in found])


def part_of(photograph, seed):
    """A frame with its margin from a random place, at a random scale, flipped at random."""
    shape = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)
    draws = tf.random.stateless_uniform((3,), seed)
    scale = 1 + 4 * draws[0]  # pixels of the photograph in a pixel of the frame
    size = tf.cast(tf.cast(shape, tf.float32) * scale, tf.int32)
    room = tf.cast(tf.shape(photograph)[:2] - size, tf.float32)
    top, left = tf.unstack(tf.cast(room * draws[1:], tf.int32))
    part = photograph[top : top + size[0], left : left + size[1]]
    part = tf.image.resize(part, shape, antialias=True)
    part = tf.image.stateless_random_flip_left_right(part, seed + 1)
    return tf.image.stateless_random_flip_up_down(part, seed + 2)


def random_flow(count, seed):
    """Smooth flow (count, HEIGHT, WIDTH, 2) in pixels, to the right and down."""

    def draw(number, shape, most):
        return tf.random.stateless_uniform((count, *shape), seed + number, -most, most)

    sides = tf.linspace(-1.0, 1.0, HEIGHT), tf.linspace(-1.0, 1.0, WIDTH)
    places = tf.stack(tf.meshgrid(*sides, indexing="ij"), axis=-1)
    affine = tf.einsum("hwi,bio->bhwo", places, draw(4, (2, 2), 0.8))
    waves = tf.image.resize(draw(5, (3, 4, 2), 0.8), (HEIGHT, WIDTH), "bicubic")
    return draw(6, (1, 1, 2), 1.6) + affine + waves


def looked_up(images, places):
    """Values of images (batch, h, w, 3) at places (batch, H, W, 2), (right, down), bilinearly."""
    low = tf.floor(places)
    right, down = tf.split(places - low, 2, axis=-1)

    def at(x, y):
        index = tf.cast(low, tf.int32) + (x, y)
        return tf.gather_nd(images, index[..., ::-1], batch_dims=1)

    above = at(0, 0) * (1 - right) + at(1, 0) * right
    return above * (1 - down) + (at(0, 1) * (1 - right) + at(1, 1) * right) * down


def warped(images, seed, batch_size, colours=True):
    """An endless pipeline of (frames from 0 to 1, flow in pixels)."""
    images = tf.constant(images)

    def part(pair):
        index = tf.random.stateless_uniform((), pair + 3, 0, len(images), tf.int32)
        return part_of(images[index], pair)

    def warp(parts, pair):
        count = tf.shape(parts)[0]
        flow = random_flow(count, pair)
        here = tf.meshgrid(tf.range(MARGIN, MARGIN + WIDTH), tf.range(MARGIN, MARGIN + HEIGHT))
        here = tf.cast(tf.stack(here, axis=-1), tf.float32)
        # The second frame lies between pixels, too; otherwise it would be the sharper one.
        here += tf.random.stateless_uniform((count, 1, 1, 2), pair + 7, -0.5, 0.5)
        frames = tf.stack([looked_up(parts, here + flow), looked_up(parts, here)], axis=1)
        if colours:
            contrast = tf.random.stateless_uniform((count, 1, 1, 1, 3), pair + 8, 0.6, 1.4)
            offset = tf.random.stateless_uniform((count, 1, 1, 1, 3), pair + 9, -0.1, 0.1)
            frames = (frames - 0.5) * contrast + 0.5 + offset
        frames = tf.ensure_shape(frames, (None, 2, HEIGHT, WIDTH, 3))
        return frames, tf.ensure_shape(flow, (None, HEIGHT, WIDTH, 2))

    pairs = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    parts = pairs.map(part, num_parallel_calls=2).batch(batch_size)
    return tf.data.Dataset.zip(parts, pairs).map(warp, num_parallel_calls=2).prefetch(4)


def local_contrast(frames, deviation=3.0):
    """Frames (..., height, width, 3) less their blurred selves, divided by the blurred size."""
    shape, reach = tf.shape(frames), int(3 * deviation)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2).astype("float32")
    bell /= bell.sum()

    def blurred(images):
        images = tf.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), "REFLECT")
        for kernel in (bell[:, None], bell[None, :]):
            kernel = np.tile(kernel[..., None, None], (1, 1, 3, 1))
            images = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "VALID")
        return images

    images = tf.reshape(frames, tf.concat([(-1,), shape[-3:]], axis=0))
    images -= blurred(images)
    images /= tf.sqrt(blurred(images**2)) + 0.02
    return tf.reshape(images, shape)


def frames_of(images):
    """What the model reads of images from 0 to 255, as `kp.predict_flow` takes it."""
    return (local_contrast(tf.constant(images, tf.float32) / 255).numpy() + 1) * 127.5


_models = {}  # rows of the table share models


def trained(seed, options):
    key = (seed, options.steps, options.preset, options.batch_size, options.data_dir)
    if key in _models:
        return _models[key]
    if options.preset:
        model = kp.from_preset(options.preset)
        how = kp.training.recipe("optical_flow", batch_size=options.batch_size, steps=options.steps)
        how.compile(model)
        size, (_, _, height, width, _) = options.batch_size, model.input_shape
        train = kp.data.load(
            "autoflow_pairs", size=(height, width), batch_size=size, seed=seed,
            data_dir=options.data_dir, source_dir=options.source_dir,
        )  # fmt: skip
    else:
        model = kp.build_optical_flow(
            HEIGHT, WIDTH, stem="conv", stem_norm="group", stem_channels=128
        )
        train = warped(photographs("train", options.data_dir), seed + 1, options.batch_size)
        train = train.map(lambda frames, flow: (local_contrast(frames), flow))
    _models[key] = fit(model, train, options.steps)
    return model


def perceiver(seed, options):
    model = trained(seed, options)
    read = np.asarray if options.preset else frames_of
    return lambda first, second: kp.predict_flow(model, read(first), read(second))


def no_flow(seed, options):
    return lambda first, second: np.zeros((*first.shape[:2], 2), "float32")


def grey(image):
    return np.uint8(image @ (0.299, 0.587, 0.114) + 0.5)


def dense_inverse_search(seed, options):
    import cv2

    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(0)
    return lambda first, second: method.calc(grey(first), grey(second), None)


def farneback(seed, options):
    import cv2

    sizes = (0.5, 3, 15, 5, 5, 1.1, 0)  # scale, levels, window, iterations, polynomial; no flag
    return lambda first, second: cv2.calcOpticalFlowFarneback(
        grey(first), grey(second), None, *sizes
    )


METHODS = {
    "Perceiver IO": perceiver,
    "no flow": no_flow,
    "OpenCV, dense inverse search": dense_inverse_search,
    "OpenCV, Farneback": farneback,
}


def warps(options):
    """(first, second, flow, valid) of unseen photographs, images from 0 to 255; or of Sintel."""
    if options.preset:
        given = {"data_dir": options.data_dir, "source_dir": options.sintel_dir}
        pairs = kp.data.load("sintel_flow", size=SINTEL, batch_size=None, shuffle=False, **given)
        for frames, flow, valid in pairs.as_numpy_iterator():
            yield *(frames + 1) * 127.5, flow, valid > 0
        return
    pairs = warped(photographs("test", options.data_dir), 2107, 32, colours=False)
    for frames, flow in pairs.unbatch().take(options.test_pairs).as_numpy_iterator():
        yield *frames * 255, flow, np.ones(flow.shape[:2], bool)


def motorcycle(options):
    """The same of the Motorcycle pair, shrunk and aligned, or as it is for a preset."""
    given = {"batch_size": None, "data_dir": options.data_dir}
    pair = next(iter(kp.data.load("motorcycle_stereo", "test", size=(500, 741), **given)))
    (first, second), flow, valid = (array.numpy() for array in pair)
    first, second, valid = (first + 1) * 127.5, (second + 1) * 127.5, valid > 0
    if options.preset:
        return [(first, second, flow, valid)]
    moved = round(-np.median(flow[valid][:, 0]))
    first, second, flow, valid = (
        first[:, moved:],
        second[:, :-moved],
        flow[:, moved:],
        valid[:, moved:],
    )
    flow = flow + (moved, 0)

    def shrunk(array):
        height, width = (size // SHRUNK for size in array.shape[:2])
        array = array[: height * SHRUNK, : width * SHRUNK]
        return array.reshape(height, SHRUNK, width, SHRUNK, -1).mean(axis=(1, 3))

    known = shrunk(valid)
    flow = shrunk(np.where(valid[..., None], flow, 0)) / np.maximum(known, 1e-6) / SHRUNK
    return [(shrunk(first), shrunk(second), flow, known[..., 0] > 0.5)]


def end_point_error(method, test):
    def score(seed, options):
        estimate = METHODS[method](seed, options)
        errors = []
        for first, second, flow, valid in test(options):
            found = estimate(first, second)
            errors.append(np.linalg.norm(found - flow, axis=-1)[valid].mean())
        if method == "Perceiver IO" and test is motorcycle and options.results and seed == 0:
            draw(options)
        return np.mean(errors)

    return score


def draw(options):
    """Frames and flow of two warps and of the Motorcycle pair."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [*itertools.islice(warps(options), 2), *motorcycle(options)]
    names = [name for name in METHODS if name not in ("no flow", "OpenCV, Farneback")]
    figure, axes = pyplot.subplots(3, 3 + len(names), figsize=(12, 5.5), layout="constrained")
    for number, (first, second, flow, valid) in enumerate(shown):
        flow = np.where(valid[..., None], flow, np.nan)
        most = np.nanmax(np.linalg.norm(flow, axis=-1))
        pictures = {"first frame": np.uint8(first), "second frame": np.uint8(second)}
        pictures["true flow"] = kp.preparation.flow_picture(flow, most)
        for name in names:
            found = METHODS[name](0, options)(first, second)
            pictures[name] = kp.preparation.flow_picture(found, most)
        for axis, (name, picture) in zip(axes[number], pictures.items()):
            axis.imshow(picture)
            axis.axis("off")
            axis.set_title("" if number else name, fontsize=9)
    options.results.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.results / "train_optical_flow.png", dpi=110)
    pyplot.close(figure)


def verdict(means):
    ours, none = means["Perceiver IO"], means["no flow"]
    sentence = f"the error of no flow, {none:.2f} pixels, is {none / ours:.1f} times that of ours"
    return none >= 2 * ours, sentence


EXPERIMENT = Experiment(
    name="train_optical_flow",
    title="Optical flow",
    claim="Sintel final, trained on AutoFlow, end-point error: Perceiver IO 2.42, RAFT 2.57, "
    "PWCNet 2.91 (Perceiver IO, table 3). Here: less than half of the error of no flow",
    unit="end-point error in pixels",
    variants={
        **{name: end_point_error(name, warps) for name in METHODS},
        **{f"{name}: Motorcycle": end_point_error(name, motorcycle) for name in METHODS},
    },
    verdict=verdict,
    data="warped photographs; the Motorcycle stereo pair",
    steps=1200,
    more_is_better=False,
    baselines=tuple(
        name + test for name in METHODS if name != "Perceiver IO" for test in ("", ": Motorcycle")
    ),
    needs_data=(
        ("--preset", {"help": "a published architecture, such as perceiver_io_optical_flow"}),
        ("--source_dir", {"help": "your AutoFlow"}),
        ("--sintel_dir", {"help": "your MPI Sintel"}),
        ("--batch_size", {"type": int, "default": 16}),
        ("--test_pairs", {"type": int, "default": 256, "help": "warps of the test"}),
    ),
)

if __name__ == "__main__":
    run(EXPERIMENT, __doc__)
