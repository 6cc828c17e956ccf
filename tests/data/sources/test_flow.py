"""Sintel and AutoFlow."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import keras_perceiver as kp
from keras_perceiver.data.sources.autoflow_pairs import AutoflowPairs
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.flo_flow import flo_flow
from keras_perceiver.data.sources.sintel_flow import SintelFlow
from tests.data.sources.prepare_and_read import examples, files_below, prepare

RANDOM = np.random.default_rng(7)


def write_flow(path, flow):
    path.parent.mkdir(parents=True, exist_ok=True)
    size = np.array(flow.shape[1::-1], "<i4").tobytes()
    path.write_bytes(b"PIEH" + size + flow.astype("<f4").tobytes())


def write_image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    path.write_bytes(tf.io.encode_png(pixels).numpy())


def test_flow_as_opencv_writes_it(tmp_path):
    cv2 = pytest.importorskip("cv2")
    flow = RANDOM.normal(size=(5, 7, 2)).astype("float32")
    cv2.writeOpticalFlow(str(tmp_path / "a.flo"), flow)
    found, known = flo_flow(tmp_path / "a.flo")
    np.testing.assert_array_equal(found, flow)
    assert found.dtype == "float32" and known.shape == (5, 7) and known.all()
    write_flow(tmp_path / "b.flo", flow)
    assert (tmp_path / "a.flo").read_bytes() == (tmp_path / "b.flo").read_bytes()


def test_unknown_flow(tmp_path):
    flow = np.ones((2, 3, 2), "float32")
    flow[0, 1, 0], flow[1, 0, 1], flow[1, 2, 0] = 1.7e9, np.nan, -np.inf
    write_flow(tmp_path / "a.flo", flow)
    found, known = flo_flow(tmp_path / "a.flo")
    assert known.tolist() == [[True, False, True], [False, True, False]]
    np.testing.assert_array_equal(found, np.repeat(known[..., None], 2, -1))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda data: b"", "must start with 202021.25.*Received: an empty file"),
        (lambda data: b"HEIP" + data[4:], "must start with 202021.25.*Received: b'HEIP'"),
        (lambda data: data[:-1], "must have 292 bytes for 7 x 5 pixels.*Received: 291 bytes"),
        (lambda data: data + b"\0", "Received: 293 bytes"),
        (lambda data: data[:6], "Received: 6 bytes"),
        (lambda data: data[:4] + bytes(8), "Received: 12 bytes"),
        (lambda data: data[:4] + b"\xff" * 8 + bytes(8), "for -1 x -1 pixels"),
    ],
)
def test_what_is_no_flow(tmp_path, change, message):
    path = tmp_path / "a.flo"
    write_flow(path, np.zeros((5, 7, 2)))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CorruptFile, match=f"a.flo .*{message}"):
        flo_flow(path)


@pytest.fixture
def sintel(tmp_path):
    """Two scenes of unequal size and length, in both renderings."""
    training = tmp_path / "MPI-Sintel" / "training"
    truth = {}
    for scene, (height, width), count in (("alley_1", (5, 7), 3), ("cave_2", (4, 6), 2)):
        for i in range(1, count + 1):
            name = f"{scene}/frame_{i:04}"
            for kind in ("clean", "final"):
                pixels = RANDOM.integers(0, 256, (height, width, 3), "uint8")
                write_image(training / kind / f"{name}.png", pixels)
                truth[kind, name] = pixels
            mask = RANDOM.integers(0, 2, (height, width), "uint8") * 255
            write_image(training / "invalid" / f"{name}.png", mask)
            truth["invalid", name] = mask > 0
            if i < count:
                flow = RANDOM.normal(size=(height, width, 2)).astype("float32")
                write_flow(training / "flow" / f"{name}.flo", flow)
                mask = RANDOM.integers(0, 2, (height, width), "uint8") * 255
                write_image(training / "occlusions" / f"{name}.png", mask)
                truth["flow", name], truth["occluded", name] = flow, mask > 0
    return training.parent, truth


def sintel_builder(source, **options):
    return SintelFlow(source_dir=source, **{"data_dir": source.parent / "prepared", **options})


@pytest.mark.parametrize("kind", ["clean", "final"])
def test_pairs_of_sintel(sintel, kind):
    source, truth = sintel
    found = examples(prepare(sintel_builder(source, rendering=kind)))
    assert len(found) == 3
    pairs = [("alley_1", 1), ("alley_1", 2), ("cave_2", 1)]
    for scene, i in pairs:
        name, following = f"{scene}/frame_{i:04}", f"{scene}/frame_{i + 1:04}"
        (pair,) = [e for e in found if np.array_equal(e["flow"], truth["flow", name])]
        np.testing.assert_array_equal(pair["first"], truth[kind, name])
        np.testing.assert_array_equal(pair["second"], truth[kind, following])
        np.testing.assert_array_equal(pair["valid"], ~truth["invalid", name])
        np.testing.assert_array_equal(pair["occluded"], truth["occluded", name])
        assert pair["scene"] == scene.encode() and pair["has_occlusions"]


def test_sintel_without_masks(sintel):
    source, _ = sintel
    for kind in ("invalid", "occlusions", "clean"):
        shutil.rmtree(source / "training" / kind)
    for pair in examples(prepare(sintel_builder(source))):
        assert pair["valid"].all() and not pair["occluded"].any() and not pair["has_occlusions"]
    with pytest.raises(ValueError, match="must have training/flow/.* and no directory .*clean"):
        prepare(sintel_builder(source, rendering="clean"))


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("final/alley_1/frame_0002.png", b"", "must be an image. Received: an empty file"),
        ("final/alley_1/frame_0002.png", b"no image", "must be an image"),
        ("final/cave_2/frame_0002.png", (9, 6, 3), "must have the 4 x 6 of .*frame_0001.flo"),
        ("final/cave_2/frame_0002.png", None, "cannot be read"),
        ("invalid/alley_1/frame_0001.png", (5, 8), "must have the 5 x 7 of"),
        ("occlusions/alley_1/frame_0002.png", None, "cannot be read"),
        ("flow/cave_2/frame_0001.flo", b"", "must start with 202021.25"),
    ],
)
def test_broken_files_of_sintel(sintel, tmp_path, name, content, message):
    path = sintel[0] / "training" / name
    path.unlink()
    if isinstance(content, tuple):
        write_image(path, np.zeros(content, "uint8"))
    elif content is not None:
        path.write_bytes(content)
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match=f"{name} {message}"):
        prepare(sintel_builder(sintel[0]))
    assert files_below(tmp_path) == before
    with pytest.warns(UserWarning, match=r"\d of 3 files were skipped") as caught:
        left = examples(prepare(sintel_builder(sintel[0], corrupt="skip")))
    assert name in str(caught[0].message)
    assert len(left) == (1 if "alley_1/frame_0002.png" in name and "final" in name else 2)


def test_what_is_not_sintel(tmp_path):
    with pytest.raises(ValueError, match="must have training/flow/<scene>.*Received: 0 .flo"):
        prepare(SintelFlow(source_dir=tmp_path, data_dir=tmp_path / "prepared"))
    with pytest.raises(ValueError, match="`rendering` must be one of"):
        SintelFlow(rendering="albedo")


def test_pairs_of_autoflow(tmp_path):
    source, truth = tmp_path / "autoflow", {}
    for name in ("static_40k_png_1_of_4/table_0_batch_0", "static_40k_png_2_of_4/table_1_batch_0"):
        first, second = RANDOM.integers(0, 256, (2, 5, 7, 3), "uint8")
        flow = RANDOM.normal(size=(5, 7, 2)).astype("float32")
        write_image(source / name / "im0.png", first)
        write_image(source / name / "im1.png", second)
        write_flow(source / name / "forward.flo", flow)
        write_flow(source / name / "backward.flo", -flow)
        truth[name.encode()] = first, second, flow
    found = examples(prepare(AutoflowPairs(source_dir=source, data_dir=tmp_path / "prepared")))
    assert {pair["scene"] for pair in found} == set(truth)
    for pair in found:
        for key, wanted in zip(("first", "second", "flow"), truth[pair["scene"]]):
            np.testing.assert_array_equal(pair[key], wanted)
        assert pair["valid"].all() and not pair["has_occlusions"]
    (source / "static_40k_png_2_of_4/table_1_batch_0/im1.png").write_bytes(b"")
    with pytest.raises(ValueError, match="table_1_batch_0/im1.png must be an image"):
        prepare(AutoflowPairs(source_dir=source, data_dir=tmp_path / "again"))
    with pytest.raises(ValueError, match="Received: no forward.flo below"):
        (tmp_path / "empty").mkdir()
        prepare(AutoflowPairs(source_dir=tmp_path / "empty", data_dir=tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_pipelines(sintel, tmp_path):
    source, _ = sintel
    where = {"source_dir": source, "data_dir": tmp_path / "data"}
    frames, flow, weights = next(iter(kp.data.load("sintel_flow", "test", size=(4, 5), **where)))
    assert frames.shape == (3, 2, 4, 5, 3) and flow.shape == (3, 4, 5, 2)
    assert -1 <= frames.numpy().min() < -0.5 and frames.numpy().max() <= 1
    assert set(np.unique(weights)) == {0, 1}
    assert (flow.numpy()[weights.numpy() == 0] == 0).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="sintel_flow-train"):
        list(kp.data.load("sintel_flow", "test", size=(5, 7), **where))
