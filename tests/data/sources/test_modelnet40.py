import shutil
import warnings

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.data.sources.corrupt_file import CorruptFile
from keras_perceiver.data.sources.modelnet40_meshes import Modelnet40Meshes
from keras_perceiver.data.sources.modelnet40_resampled import Modelnet40Resampled
from keras_perceiver.data.sources.off_mesh import off_mesh
from keras_perceiver.data.sources.points_on_mesh import points_on_mesh
from tests.data.sources.prepare_and_read import examples, files_below, prepare

# A square of side 4 at z = 5 as one polygon, and a small triangle (area 0.5) far off as another.
SQUARE = "7 2 0\n0 0 5\n4 0 5\n4 4 5\n0 4 5\n9 9 9\n10 9 9\n9 10 9\n4 0 1 2 3\n3 4 5 6 255 0 0\n"


@pytest.fixture
def meshes(tmp_path):
    """Two classes, with and without the line break after OFF, and files that are nobody's."""
    source = tmp_path / "ModelNet40"
    for name, split, first in [
        ("night_stand", "train", "OFF\n"),
        ("night_stand", "test", "OFF"),
        ("bed", "train", "OFF\n# made by hand\n"),
        ("bed", "test", "OFF \n"),
    ]:
        folder = source / name / split
        folder.mkdir(parents=True)
        for i in range(3):
            (folder / f"{name}_{i:04}.off").write_text(first + SQUARE)
        (folder / "._night_stand_0001.off").write_bytes(b"junk")
        (folder / ".DS_Store").write_bytes(b"junk")
    (source / "__MACOSX" / "train").mkdir(parents=True)
    return source


def builder_of(source, **options):
    options = {"num_points": 211, "data_dir": source.parent / "prepared", **options}
    return Modelnet40Meshes(source_dir=source, **options)


def test_points_lie_on_the_surface_in_proportion_to_its_area(meshes):
    builder = prepare(builder_of(meshes, num_points=5003))
    assert builder.info.features["label"].names == ["bed", "night_stand"]
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == {
        "train": 6,
        "test": 6,
    }
    found = examples(builder, "test")
    assert sorted(example["object"].decode() for example in found)[0] == "bed_0000"
    for example in found:
        assert example["label"] == (0 if example["object"].startswith(b"bed") else 1)
        points = example["points"]
        assert points.shape == (5003, 3) and points.dtype == "float32"
        square = points[points[:, 2] < 6]
        assert len(square) / 5003 == pytest.approx(16 / 16.5, abs=0.01)
        np.testing.assert_allclose(square[:, 2], 5)
        quarters = np.histogram2d(square[:, 0], square[:, 1], [[0, 1, 4], [0, 1, 4]])[0]
        np.testing.assert_allclose(
            quarters / len(square), [[1 / 16, 3 / 16], [3 / 16, 9 / 16]], atol=0.03
        )
        far = points[points[:, 2] > 6] - 9
        assert far[:, :2].min() >= 0 and far[:, :2].sum(1).max() <= 1 + 1e-5
    assert len({example["points"].tobytes() for example in found}) == 6  # a seed a file


def test_the_seed_fixes_the_points_and_options_have_their_own_directories(meshes, tmp_path):
    first = examples(prepare(builder_of(meshes)))
    again = examples(prepare(builder_of(meshes, data_dir=tmp_path / "again")))
    other = examples(prepare(builder_of(meshes, seed=3)))
    for one, same, different in zip(first, again, other):
        np.testing.assert_array_equal(one["points"], same["points"])
        assert (one["points"] != different["points"]).any()
    configs = {path.name for path in (tmp_path / "prepared" / "modelnet40_meshes").iterdir()}
    assert configs == {"num_points_211", "num_points_211-seed_3"}


def test_prepared_data_need_no_source(meshes, tmp_path):
    import tensorflow_datasets as tfds

    first = examples(prepare(builder_of(meshes)))
    before = files_below(tmp_path)
    data_dir = tmp_path / "prepared"
    builder = prepare(Modelnet40Meshes(num_points=211, data_dir=data_dir))
    assert builder.info.features["label"].names == ["bed", "night_stand"]
    np.testing.assert_array_equal(examples(builder)[4]["points"], first[4]["points"])
    by_name = tfds.load(
        "modelnet40_meshes",
        split="test",
        data_dir=data_dir,
        download=False,
        builder_kwargs={"num_points": 211},
    )
    assert len(by_name) == 6
    with pytest.raises(ValueError, match="`source_dir` must be '.*ModelNet40', from which"):
        Modelnet40Meshes(source_dir=tmp_path, num_points=211, data_dir=data_dir)
    with pytest.raises(ValueError, match="`source_dir` must be the directory with the files of"):
        Modelnet40Meshes(num_points=5, data_dir=data_dir).download_and_prepare()
    assert files_below(tmp_path) == before


def test_a_split_that_is_missing_is_absent_and_an_empty_one_is_refused(meshes, tmp_path):
    for name in ("bed", "night_stand"):
        for path in (meshes / name / "test").glob("*.off"):
            path.unlink()
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match=r"must have .off files in <class>/test/. Received: none"):
        prepare(builder_of(meshes))
    assert files_below(tmp_path) == before
    for name in ("bed", "night_stand"):
        shutil.rmtree(meshes / name / "test")
    assert list(prepare(builder_of(meshes)).info.splits) == ["train"]


BROKEN = {
    "an empty file": "",
    "a file that starts with b'PLY": "PLY\n" + SQUARE,
    "how many vertices and faces": "OFF\n",
    "7 vertices and 0 faces": "OFF\n7 0 0\n" + SQUARE,
    "a line each. Received: 8 lines": "OFF\n" + SQUARE.rsplit("\n", 2)[0],
    "three finite numbers a vertex": "OFF\n" + SQUARE.replace("9 9 9", "9 nan 9"),
    "and whole faces": "OFF\n" + SQUARE.replace("4 0 1 2 3", "4 0 1 2"),
    "from 0 to 6. Received: 0 to 7": "OFF\n" + SQUARE.replace("3 4 5 6", "3 4 5 7"),
    "from 0 to 6. Received: -1 to": "OFF\n" + SQUARE.replace("3 4 5 6", "3 4 5 -1"),
    "must be a surface": "OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n",
}


@pytest.mark.parametrize("message", BROKEN)
def test_broken_meshes_stop_with_their_names_and_leave_nothing(meshes, tmp_path, message):
    path = meshes / "bed" / "train" / "bed_0001.off"
    path.write_text(BROKEN[message])
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match=r"bed/train/bed_0001.off must .*") as caught:
        prepare(builder_of(meshes))
    assert message in str(caught.value) and "skip" in str(caught.value)
    assert files_below(tmp_path) == before


def test_skipped_files_are_counted_once_at_the_end(meshes, tmp_path):
    for i in (0, 2):
        (meshes / "bed" / "train" / f"bed_000{i}.off").write_bytes(b"")
    (meshes / "night_stand" / "test" / "night_stand_0001.off").write_bytes(b"OFF")
    with pytest.warns(UserWarning, match="3 of 12 files were skipped") as caught:
        builder = prepare(builder_of(meshes, corrupt="skip"))
    (warning,) = caught
    names = str(warning.message).partition(": ")[2]
    assert sorted(names.split(", ")) == [
        "bed/train/bed_0000.off",
        "bed/train/bed_0002.off",
        "night_stand/test/night_stand_0001.off",
    ]
    assert builder.info.splits["train"].num_examples == 4
    with pytest.warns(UserWarning, match="`corrupt`='skip': 3 of 12 files were skipped"):
        builder_of(meshes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        builder_of(meshes, corrupt="skip")


def test_a_split_without_any_good_file_is_an_error_even_when_skipping(meshes, tmp_path):
    for name in ("bed", "night_stand"):
        for path in (meshes / name / "train").glob("*.off"):
            path.write_bytes(b"")
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match="'train' of modelnet40_meshes must have at least one"):
        prepare(builder_of(meshes, corrupt="skip"))
    assert files_below(tmp_path) == before


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_points": 0}, "`num_points` must be a whole number of at least 1"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0"),
        ({"corrupt": "ignore"}, "`corrupt` must be one of"),
        ({"config": "big"}, "`config` must be None, because the options of modelnet40_meshes are"),
        ({"source_dir": "nowhere"}, "`source_dir` must be a directory.*there is no such"),
        ({"source_dir": __file__}, r"`source_dir` must be a directory.*\(a file\)"),
        ({"source_dir": 3}, "`source_dir` must be a path"),
        ({"source_dir": "."}, "must have meshes in <class>/train/"),
    ],
)
def test_bad_arguments(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        Modelnet40Meshes(**{"data_dir": tmp_path, **options})


def test_a_mesh_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "a.off"
    path.write_text("OFF7 2 0\n" + SQUARE.partition("\n")[2])
    vertices, triangles = off_mesh(path)
    assert vertices.shape == (7, 3) and vertices[4].tolist() == [9, 9, 9]
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3], [4, 5, 6]]
    with pytest.raises(CorruptFile):
        path.write_text("COFF")
        off_mesh(path)


def test_points_need_an_area():
    with pytest.raises(ValueError, match="`triangles` must have an area"):
        points_on_mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), 7, np.random.default_rng(0))


@pytest.fixture
def resampled(tmp_path):
    source = tmp_path / "modelnet40_normal_resampled"
    names = ["night_stand", "airplane"]  # not in alphabetical order
    source.mkdir()
    (source / "modelnet40_shape_names.txt").write_text("\n".join(names) + "\n")
    for split, numbers in (("train", (1, 2)), ("test", (3,))):
        listed = [f"{name}_{i:04}" for name in names for i in numbers]
        (source / f"modelnet40_{split}.txt").write_text("\n".join(listed))
        for name in listed:
            folder = source / name.rpartition("_")[0]
            folder.mkdir(exist_ok=True)
            rows = np.arange(31 * 6).reshape(31, 6) + 1000 * int(name[-1])
            np.savetxt(folder / f"{name}.txt", rows, delimiter=",", fmt="%.6f")
    return source


def resampled_builder(source, **options):
    options = {"num_points": 13, "data_dir": source.parent / "prepared", **options}
    return Modelnet40Resampled(source_dir=source, **options)


def test_points_sampled_beforehand(resampled):
    builder = prepare(resampled_builder(resampled))
    assert builder.info.features["label"].names == ["night_stand", "airplane"]
    (test, train) = examples(builder, "test"), examples(builder)
    assert len(test) == 2 and len(train) == 4
    for example in test:
        assert example["label"] == (1 if example["object"] == b"airplane_0003" else 0)
        rows = np.concatenate([example["points"], example["normals"]], 1)
        starts = (rows[:, 0] - 3000) / 6
        assert len(set(starts)) == 13 and set(starts) < set(range(31))
        np.testing.assert_array_equal(rows - rows[:, :1], np.tile(np.arange(6), (13, 1)))


def test_resampled_files_that_are_wrong(resampled, tmp_path):
    path = resampled / "airplane" / "airplane_0002.txt"
    for text, message in [
        ("", "must be 13 lines or more of 6 finite numbers. Received: 0 lines"),
        ("1,2,3\n" * 20, "Received: 20 lines of 3 numbers"),
        ("1,2,3,4,5,x\n" * 20, "must be lines of 6 numbers"),
        ("1,2,3,4,5,nan\n" * 20, "6 finite numbers"),
    ]:
        path.write_text(text)
        before = files_below(tmp_path)
        with pytest.raises(ValueError, match=rf"airplane_0002.txt.*{message}"):
            prepare(resampled_builder(resampled))
        assert files_below(tmp_path) == before
    path.unlink()
    with pytest.warns(UserWarning, match="1 of 4 files that modelnet40_train.txt lists are absent"):
        prepare(resampled_builder(resampled))


def test_resampled_lists_that_are_wrong(resampled, tmp_path):
    (resampled / "modelnet40_shape_names.txt").write_text("night_stand\nbed\n")
    with pytest.raises(
        ValueError, match="airplane_000[12].txt must be of a class in modelnet40_sh"
    ):
        prepare(resampled_builder(resampled))
    (resampled / "modelnet40_shape_names.txt").write_bytes(b"night_stand\n\xff\n")
    with pytest.raises(ValueError, match="shape_names.txt must be text in UTF-8"):
        resampled_builder(resampled)
    (resampled / "modelnet40_shape_names.txt").write_text("bed\nbed\n")
    with pytest.raises(ValueError, match="a class a line, each once. Received: 2 lines"):
        resampled_builder(resampled)
    (resampled / "modelnet40_shape_names.txt").write_text("night_stand\nairplane\n")
    (resampled / "modelnet40_train.txt").write_text("airplane_0009\n")
    with pytest.raises(ValueError, match="files that modelnet40_train.txt lists. Received: none"):
        prepare(resampled_builder(resampled))
    (resampled / "modelnet40_train.txt").unlink()
    (resampled / "modelnet40_test.txt").unlink()
    with pytest.raises(ValueError, match="must have modelnet40_train.txt or modelnet40_test.txt"):
        prepare(resampled_builder(resampled))
    assert not (tmp_path / "prepared").exists()


def test_pipelines_of_both_kinds(meshes, resampled, tmp_path):
    for name, source, count in (("meshes", meshes, 6), ("resampled", resampled, 2)):
        where = {"source_dir": source, "data_dir": tmp_path / "data"}
        batches = kp.data.load(f"modelnet40_{name}", "test", batch_size=7, num_points=29, **where)
        points, labels = next(iter(batches))
        assert points.shape == (count, 29, 3) and set(labels.numpy()) == {0, 1}
        np.testing.assert_allclose(np.abs(points).max(axis=(1, 2)), 1, rtol=1e-6)
        recipe = kp.data.recipe(f"modelnet40_{name}", num_points=29, **where)
        assert recipe.inputs.num_points == 29 and recipe.num_classes == 2
