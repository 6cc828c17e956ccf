"""The experiments on flow, films and sound run, on a little noise and on tiny directories."""

import functools
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from tests.data.sources.films import grey, tone, write_film
from tests.data.sources.prepared import builder_class

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

pytestmark = pytest.mark.slow

PAPERS = Path(__file__).parents[2] / "examples" / "papers"
COUNTS = {"train": 130, "validation": 2, "test": 25}
RANDOM = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def importable(monkeypatch, no_local_start):
    monkeypatch.syspath_prepend(str(PAPERS))
    # For two steps, compiling by XLA takes far longer than it saves.
    monkeypatch.setattr(
        "keras_perceiver.models.compiling._gains_from_xla_on_cpu", lambda model: False
    )


def experiment(name):
    return importlib.import_module(name)


def store(folder, name, examples, **options):
    """Writes examples, {split: list}, as a data set of ours."""
    builder = builder_class(name)(data_dir=folder, **options)
    config = builder.builder_config and builder.builder_config.name
    splits = {split: list(enumerate(some)) for split, some in examples.items()}
    tfds.dataset_builders.store_as_tfds_dataset(
        name, "1.0.0", builder.info.features, splits, data_dir=folder, config=config
    )


def film(number, samples):
    digit, pitch = number % 10, number * 7 % 10
    labels = np.zeros(25, "uint8")
    labels[[digit, 10 + pitch, 20 + (digit + pitch) % 5]] = 1
    video = RANDOM.integers(0, 256, (8, 20, 20, 1)).astype("uint8")
    audio = RANDOM.uniform(-1, 1, (samples, 1)).astype("float32")
    joint = (digit + pitch) % 5
    return {
        "video": video, "audio": audio, "digit": digit, "tone": pitch, "joint": joint,
        "labels": labels,
    }  # fmt: skip


def photograph(name):
    return {"image": RANDOM.integers(0, 256, (361, 470, 3)).astype("uint8"), "name": name}


def stereo():
    """The right picture is the left one moved by 24 pixels, by 48 in the lower half."""
    left = np.repeat(RANDOM.integers(0, 256, (500, 247, 3)), 3, axis=1).astype("uint8")
    right, flow = np.zeros_like(left), np.zeros((500, 741, 2), "float32")
    right[:250, :-24], right[250:, :-48] = left[:250, 24:], left[250:, 48:]
    flow[:250, :, 0], flow[250:, :, 0] = -24, -48
    return {"first": left, "second": right, "flow": flow, "valid": np.ones((500, 741), bool)}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Noise under the names of the true data sets, whose packages need not be installed."""
    folder = tmp_path_factory.mktemp("data")
    for samples, options in ((2048, {}), (256, {"sampling_rate": 256})):
        films = {split: [film(i, samples) for i in range(n)] for split, n in COUNTS.items()}
        store(folder, "moving_digits", films, **options)
    pictures = {"train": [photograph("a"), photograph("b")], "test": [photograph("c")]}
    store(folder, "photographs", pictures)
    store(folder, "motorcycle_stereo", {"test": [stereo()]})
    return str(folder)


@pytest.mark.parametrize(
    "name, least, most, extra",
    [
        ("audio_visual", 0, 1, []),
        ("multimodal_autoencoder", -40, 100, []),
        ("train_optical_flow", 0, 50, ["--test_pairs", "3"]),
    ],
)
def test_every_variant_gives_a_score_and_the_claim_is_judged(
    name, least, most, extra, data_dir, tmp_path
):
    if name == "train_optical_flow":
        pytest.importorskip("cv2")
    module = experiment(name)
    arguments = ["--steps", "2", "--data_dir", data_dir, "--results", str(tmp_path), *extra]
    scores = module.run(module.EXPERIMENT, "", arguments)
    assert list(scores) == list(module.EXPERIMENT.variants)
    assert all(least <= score <= most for (score,) in scores.values())
    assert set(module.EXPERIMENT.baselines) < set(scores)
    assert json.loads((tmp_path / f"{name}.json").read_text())["shows"] in (True, False)
    if name != "audio_visual":
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_late_combination_is_the_mean_of_both(data_dir):
    module = experiment("audio_visual")
    arguments = ["--steps", "1", "--data_dir", data_dir, "--train", "train[:64]"]
    options = module.EXPERIMENT.parser("").parse_args(arguments)
    labels, seen = module.answers(options, ("video",), 5)
    _, heard = module.answers(options, ("audio",), 5)
    from sklearn.metrics import average_precision_score

    wanted = average_precision_score(labels[:, 10:20], (seen + heard)[:, 10:20])
    assert module.late("heard")(5, options) == pytest.approx(wanted)


def test_warped_frames_have_the_flow_that_is_told(data_dir, monkeypatch):
    module = experiment("train_optical_flow")
    rows, columns = np.mgrid[:360, :480] / 20
    smooth = np.stack([np.sin(rows), np.sin(columns), np.sin(rows + columns)], -1)[None]
    monkeypatch.setattr(module, "MARGIN", 12)
    ((frames, flow),) = module.warped(smooth.astype("float32"), 3, 5, colours=False).take(1)
    here = tf.cast(tf.stack(tf.meshgrid(range(module.WIDTH), range(module.HEIGHT)), -1), "float32")
    inside = tf.reduce_all((here + flow > 1) & (here + flow < (46.0, 30.0)), -1).numpy()
    assert inside.mean() > 0.7

    def apart(second):
        return np.abs(second - frames[:, 0])[inside].mean()

    places = tf.clip_by_value(here + flow, 0.0, (46.0, 30.0))
    found = apart(module.looked_up(frames[:, 1], places))
    still = apart(frames[:, 1].numpy())
    back = apart(module.looked_up(frames[:, 1], tf.clip_by_value(here - flow, 0.0, (46.0, 30.0))))
    assert found < 0.15 * still < 0.15 * back


def test_the_stereo_pair_is_aligned_and_shrunk(data_dir):
    module = experiment("train_optical_flow")
    options = module.EXPERIMENT.parser("").parse_args(["--data_dir", data_dir])
    ((first, second, flow, valid),) = module.motorcycle(options)
    # The middle disparity is that of all pixels: 36, between both halves.
    assert first.shape == second.shape == (41, 58, 3) and valid.all()
    np.testing.assert_allclose(flow[:20, :, 0], 1, atol=1e-5)
    np.testing.assert_allclose(flow[21:, :, 0], -1, atol=1e-5)
    np.testing.assert_allclose(second[:20, 1:50], first[:20, :49], atol=1)
    np.testing.assert_allclose(second[21:, :49], first[21:, 1:50], atol=1)


def small(monkeypatch, module, **overrides):
    """The preset of the module's paths of full size, but small."""
    made = functools.partial(kp.from_preset, num_self_attends_per_block=1, **overrides)
    monkeypatch.setattr(module.kp, "from_preset", made)


def scores_of(module, variants, *arguments):
    given = ["--steps", "1", "--only", *variants, *map(str, arguments)]
    return [score for (score,) in module.run(module.EXPERIMENT, "", given).values()]


def test_flow_of_full_size(tmp_path, monkeypatch):
    module = experiment("train_optical_flow")

    def write(folder, names, flow):
        for name in names:
            pixels = RANDOM.integers(0, 256, (40, 50, 3)).astype("uint8")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(tf.io.encode_png(pixels).numpy())
        (folder / flow).parent.mkdir(parents=True, exist_ok=True)
        vectors = np.full((40, 50, 2), (3, 4), "<f4")
        (folder / flow).write_bytes(
            b"PIEH" + np.array([50, 40], "<i4").tobytes() + vectors.tobytes()
        )

    for number in range(3):
        write(tmp_path / f"autoflow/{number}", ("im0.png", "im1.png"), "forward.flo")
    names = [f"final/alley_1/frame_000{number}.png" for number in (1, 2)]
    write(tmp_path / "sintel/training", names, "flow/alley_1/frame_0001.flo")
    small(monkeypatch, module, height=24, width=32, num_latents=8)
    monkeypatch.setattr(module, "SINTEL", (40, 50))
    found = scores_of(
        module, ["Perceiver IO", "no flow"],
        "--preset", "perceiver_io_optical_flow", "--batch_size", 2, "--data_dir", tmp_path / "data",
        "--source_dir", tmp_path / "autoflow", "--sintel_dir", tmp_path / "sintel",
    )  # fmt: skip
    assert found[1] == pytest.approx(5) and 0 < found[0] < 50


CLASSES = 'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Man"\n'


def test_sound_and_video_of_full_size(tmp_path, monkeypatch):
    pytest.importorskip("av")
    module = experiment("audio_visual")
    source = tmp_path / "audioset"
    source.mkdir()
    (source / "class_labels_indices.csv").write_text(CLASSES)
    for split in ("balanced_train", "eval"):
        lines = ["# YTID, start_seconds, end_seconds, positive_labels"]
        for number, label in enumerate(("/m/09x0r", "/m/05zppz", "/m/09x0r,/m/05zppz")):
            clip = f"{split[:9]:_<10}{number}"
            write_film(source / f"{clip}.mp4", grey(36), 25, tone(500, 1.44))
            lines.append(f'{clip}, 0.000, 1.440, "{label}"')
        (source / f"{split}_segments.csv").write_text("\n".join(lines) + "\n")
    small(monkeypatch, module, num_latents=8)
    variants = [module.BOTH, module.LATE, "audio alone"]
    found = scores_of(
        module, variants,
        "--preset", "perceiver_audioset", "--dataset", "audioset_clips", "--source_dir", source,
        "--train", "balanced_train", "--test", "eval", "--batch_size", 3,
        "--data_dir", tmp_path / "data",
    )  # fmt: skip
    assert all(0 < score <= 1 for score in found)


def test_autoencoder_of_full_size(tmp_path, monkeypatch):
    pytest.importorskip("av")
    module = experiment("multimodal_autoencoder")
    for split in ("train", "val"):
        for label in ("air drumming", "playing harp"):
            folder = tmp_path / "kinetics" / split / label
            folder.mkdir(parents=True)
            write_film(folder / "a.mp4", grey(20), 25, tone(500, 0.8))
    monkeypatch.setattr(module, "OF_PRESET", {"6x": 8})
    small(monkeypatch, module)
    found = scores_of(
        module, ["6x: video", "6x: audio", "6x: label", "silence: audio"],
        "--preset", "perceiver_io_multimodal_autoencoder", "--dataset", "kinetics_videos",
        "--source_dir", tmp_path / "kinetics", "--test", "validation", "--batch_size", 2,
        "--data_dir", tmp_path / "data",
    )  # fmt: skip
    assert np.isfinite(found).all() and found[2] in (0, 50, 100)
