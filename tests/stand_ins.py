"""Small arrays and files in place of what the pages of docs/ download or expect in a directory."""

import contextlib
import io
from pathlib import Path

import keras
import numpy as np
import soundfile
import tensorflow as tf

import keras_perceiver as kp
from tests.checkpoints.small_models import SmallModel
from tests.data.sources.films import grey, tone, write_film
from tests.data.sources.test_flow import write_flow, write_image
from tests.data.sources.test_modelnet40 import SQUARE

RANDOM = np.random.default_rng(11)


def mnist(monkeypatch, tmp_path):
    """`keras.datasets.mnist` without a download: noise of the same shapes and types."""

    def split(count):
        images = RANDOM.integers(0, 256, (count, 28, 28), "uint8")
        return images, RANDOM.integers(0, 10, count, "uint8")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (split(128), split(16)))


def few_digits(monkeypatch, tmp_path):
    """`kp.data.digits` with two batches to train on; all the others are as they are."""
    digits = kp.data.digits

    def few(*arguments, **options):
        train, test = digits(*arguments, **options)
        return train.take(2), test

    monkeypatch.setattr(kp.data, "digits", few)


def few_trials(monkeypatch, tmp_path):
    """Few digits, and a search that ends after two trials."""
    import keras_tuner

    few_digits(monkeypatch, tmp_path)
    search = keras_tuner.BayesianOptimization

    def short(*arguments, max_trials, **options):
        return search(*arguments, max_trials=min(max_trials, 2), **options)

    monkeypatch.setattr(keras_tuner, "BayesianOptimization", short)


def hub(monkeypatch, tmp_path):
    """Small models of transformers in place of the hub's, each with the files of its repository."""
    import huggingface_hub

    families = {
        "deepmind/language-perceiver": "language",
        "deepmind/vision-perceiver-conv": "conv",
    }

    def snapshot_download(name, **options):
        return str(SmallModel(families[name]).save(tmp_path / name))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)


def data_sets(monkeypatch, tmp_path):
    """Directories of AudioSet and others in the home directory, and a prepared ImageNet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    prepared = tmp_path / "tensorflow_datasets"
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(prepared))
    imagenet(prepared)
    audioset(tmp_path / "audioset")
    kinetics(tmp_path / "k700-2020")
    modelnet40(tmp_path / "ModelNet40")
    modelnet40_resampled(tmp_path / "modelnet40_normal_resampled")
    sintel(tmp_path / "MPI-Sintel-complete")
    autoflow(tmp_path / "autoflow")


def imagenet(data_dir):
    """Noise of different sizes, after 10,000 tiny pictures, which the recipe does not train on."""
    import tensorflow_datasets as tfds

    def jpeg(*size):
        pixels = RANDOM.integers(0, 256, (*size, 3), "uint8")
        return tf.io.encode_jpeg(pixels).numpy()

    tiny, small = jpeg(1, 1), [jpeg(30 + i, 40) for i in range(8)] * 32

    class Imagenet2012(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.builder("imagenet2012", data_dir=data_dir).version

        def _info(self):
            label = tfds.features.ClassLabel(num_classes=1000)
            image = tfds.features.Image(encoding_format="jpeg")
            features = {"image": image, "label": label, "file_name": tfds.features.Text()}
            features = tfds.features.FeaturesDict(features)
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, manager):
            return {
                "train": self._generate_examples(10_000),
                "validation": self._generate_examples(0),
            }

        def _generate_examples(self, count):
            for i, image in enumerate([tiny] * count + small):
                image = io.BytesIO(image)
                yield i, {"image": image, "label": i % 1000, "file_name": f"{i}.JPEG"}

    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        Imagenet2012(data_dir=data_dir).download_and_prepare(file_format="tfrecord")


def audioset(source):
    source.mkdir()
    (source / "class_labels_indices.csv").write_text('index,mid,display_name\n0,/m/1,"Speech"\n')
    listed = (
        '# YTID, start_seconds, end_seconds, positive_labels\nabcdefghijk, 0.000, 1.000, "/m/1"\n'
    )
    (source / "eval_segments.csv").write_text(listed)
    soundfile.write(source / "abcdefghijk.wav", tone(500, 1), 8000)


def kinetics(source):
    for name in ("train/air drumming", "train/archery"):
        (source / name).mkdir(parents=True)
        write_film(source / name / "a.mp4", grey(20), 25, tone(500, 0.8))


def modelnet40(source):
    for name in ("bed/train", "chair/train", "bed/test"):
        (source / name).mkdir(parents=True)
        (source / name / f"{name.partition('/')[0]}_0001.off").write_text("OFF\n" + SQUARE)


def modelnet40_resampled(source):
    (source / "airplane").mkdir(parents=True)
    (source / "modelnet40_shape_names.txt").write_text("airplane\n")
    (source / "modelnet40_train.txt").write_text("airplane_0001\n")
    np.savetxt(source / "airplane/airplane_0001.txt", RANDOM.random((2048, 6)), delimiter=",")


def sintel(source):
    for i in (1, 2):
        pixels = RANDOM.integers(0, 256, (5, 7, 3), "uint8")
        write_image(source / f"training/clean/alley_1/frame_{i:04}.png", pixels)
    flow = RANDOM.normal(size=(5, 7, 2)).astype("float32")
    write_flow(source / "training/flow/alley_1/frame_0001.flo", flow)


def autoflow(source):
    pair = Path("static_40k_png_1_of_4/table_0_batch_0")
    for name in ("im0.png", "im1.png"):
        write_image(source / pair / name, RANDOM.integers(0, 256, (5, 7, 3), "uint8"))
    write_flow(source / pair / "forward.flo", np.zeros((5, 7, 2), "float32"))
