"""DeepMind's files, under Haiku's names, give the same models; nothing in them can run."""

import collections
import os
import pickle
import re

import numpy as np
import pytest

import keras_perceiver as kp
from keras_perceiver.checkpoints.array_pickle import read_array_pickle
from tests.checkpoints.small_models import SmallModel

pytest.importorskip("safetensors")
POSITIONS = "trainable_position_encoding//pos_embs"
IN_BLOCK = [  # transformers' name, Haiku's in a cross-attention, Haiku's in a self-attention
    ("attention.self.layernorm1", "layer_norm", "layer_norm"),
    ("attention.self.layernorm2", "layer_norm_1", None),
    ("attention.self.query", "attention/linear", "attention/linear"),
    ("attention.self.key", "attention/linear_1", "attention/linear_1"),
    ("attention.self.value", "attention/linear_2", "attention/linear_2"),
    ("attention.output.dense", "attention/linear_3", "attention/linear_3"),
    ("layernorm", "layer_norm_2", "layer_norm_1"),
    ("mlp.dense1", "mlp/linear", "mlp/linear"),
    ("mlp.dense2", "mlp/linear_1", "mlp/linear_1"),
]
CLASSIFIER = "classification_decoder/~/basic_decoder/"
OF_FAMILY = {  # transformers' name -> Haiku's
    "language": {
        "perceiver.input_preprocessor.embeddings.weight": "embed//embeddings",
        "perceiver.input_preprocessor.position_embeddings.weight": POSITIONS,
        "perceiver.decoder.output_position_encodings.position_embeddings": "basic_decoder/~/"
        + POSITIONS,
        "perceiver.decoder.decoding_cross_attention": "basic_decoder/cross_attention",
        "embedding_decoder.bias": "embedding_decoder//bias",
    },
    "fourier": {},
    "learned": {
        "perceiver.input_preprocessor.convnet_1x1": "image_preprocessor/~/conv2_d",
        "perceiver.input_preprocessor.position_embeddings.position_embeddings": (
            "image_preprocessor/~_build_network_inputs/" + POSITIONS
        ),
        "perceiver.input_preprocessor.positions_projection": (
            "image_preprocessor/~_build_network_inputs/position_encoding_projector/linear"
        ),
    },
    "conv": {
        "perceiver.input_preprocessor.convnet.conv": (
            "image_preprocessor/~/conv2_d_downsample/~/conv"
        ),
        "perceiver.input_preprocessor.convnet.batchnorm": (
            "image_preprocessor/~/conv2_d_downsample/~/batchnorm"
        ),
    },
    "flow": {
        "perceiver.input_preprocessor.conv_after_patches": "image_preprocessor/patches_linear",
        "perceiver.decoder.decoder.decoding_cross_attention": (
            "flow_decoder/~/basic_decoder/cross_attention"
        ),
        "perceiver.decoder.decoder.final_layer": "flow_decoder/~/basic_decoder/output",
    },
    "multimodal": {
        "perceiver.decoder.modalities.label.decoder.output_position_encodings."
        "position_embeddings": CLASSIFIER + "~/" + POSITIONS,
        "perceiver.decoder.decoder.decoding_cross_attention": (
            "multimodal_decoder/~/basic_decoder/cross_attention"
        ),
        "perceiver.decoder.decoder.final_layer": "multimodal_decoder/~/basic_decoder/output",
        "perceiver.output_postprocessor.modalities.audio.classifier": "audio_postprocessor/linear",
        "perceiver.output_postprocessor.modalities.image.classifier": (
            "projection_postprocessor/linear"
        ),
        "perceiver.output_postprocessor.modalities.label.classifier": (
            "classification_postprocessor/linear"
        ),
    },
}
for family in ("fourier", "learned", "conv"):
    OF_FAMILY[family] |= {
        "perceiver.decoder.decoder.output_position_encodings.position_embeddings": (
            CLASSIFIER + "~/" + POSITIONS
        ),
        "perceiver.decoder.decoder.decoding_cross_attention": CLASSIFIER + "cross_attention",
        "perceiver.decoder.decoder.final_layer": CLASSIFIER + "output",
    }
for modality in ("audio", "image", "label"):
    OF_FAMILY["multimodal"] |= {
        f"perceiver.input_preprocessor.padding.{modality}": (
            f"multimodal_preprocessor/{modality}_padding//pos_embs"
        ),
        f"perceiver.input_preprocessor.mask.{modality}": (
            f"multimodal_preprocessor/{modality}_mask_token//pos_embs"
        ),
        f"perceiver.decoder.padding.{modality}": (
            f"multimodal_decoder/~decoder_query/{modality}_padding//pos_embs"
        ),
    }


def haiku_name(name, family):
    parts = OF_FAMILY[family]
    if name in parts:
        return parts[name]
    encoder = "encoder" if family == "multimodal" else "perceiver_encoder"
    if name == "perceiver.embeddings.latents":
        return f"{encoder}/~/{POSITIONS}"
    part, _, last = name.rpartition(".")
    if "batchnorm" in part:
        scope = parts[part]
        statistics = {"running_mean": "mean_ema", "running_var": "var_ema"}
        if last in statistics:
            return f"{scope}/~/{statistics[last]}//average"
        return f"{scope}//{'scale' if last == 'weight' else 'offset'}"
    if part in parts:
        return f"{parts[part]}//{'w' if last == 'weight' else 'b'}"
    found = re.match(r"perceiver\.encoder\.(cross_attention|self_attends\.(\d+))\.", part)
    if found and found[2] is None:
        scope = f"{encoder}/~/cross_attention"
    elif found:
        scope = f"{encoder}/~/self_attention" + (f"_{found[2]}" if int(found[2]) else "")
    else:
        found = re.match(r"perceiver\.decoder\.(decoder\.)?decoding_cross_attention\.", part)
        scope = parts[found[0][:-1]]
    inside = part[found.end() :]
    (row,) = [row for row in IN_BLOCK if row[0] == inside]
    place = row[2] if "/self_attention" in scope else row[1]
    names = ("scale", "offset") if "norm" in inside else ("w", "b")
    return f"{scope}/{place}//{names[last == 'bias']}"


def haiku_weights(family):
    """{scope//name: array in Haiku's layout} of a small model."""
    found = {}
    for name, array in SmallModel(family).weights().items():
        if name.endswith("num_batches_tracked"):
            continue
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2 and name.endswith("weight") and "embeddings.weight" not in name:
            array = array.T
        elif "batchnorm" in name:
            array = array.reshape(1, 1, 1, -1)
        found[haiku_name(name, family)] = np.ascontiguousarray(array)
    return found


def nested(flat):
    """{scope: {name: array}}"""
    found = {}
    for name, array in flat.items():
        scope, last = name.split("//")
        found.setdefault(scope, {})[last] = array
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """{family: the model with the same weights from a directory of transformers}"""
    root, made = tmp_path_factory.mktemp("transformers"), {}

    def model_of(family):
        if family not in made:
            folder = SmallModel(family).save(root / family)
            made[family] = kp.from_preset(folder, compile=False)
        return made[family]

    return model_of


def blank(model):
    """A model of the same sizes with other weights."""
    return type(model).from_config(model.get_config())


def assert_equal(model, expected):
    for ours, theirs in zip(model.weights, expected.weights):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


@pytest.mark.parametrize("family", OF_FAMILY)
def test_all_families_load_from_a_dict(family, expected):
    model = blank(expected(family))
    kp.load_deepmind_weights(model, haiku_weights(family))
    assert_equal(model, expected(family))


class FlatMapping(dict):
    """Pickled as Haiku pickles its own."""

    def __reduce__(self):
        return FlatMapping, (dict(self),)


def write(path, tree, protocol):
    """Pickles a tree, with `FlatMapping` under Haiku's name."""
    content = pickle.dumps(tree, protocol=protocol)
    if protocol < 4:
        content = content.replace(
            b"ctests.checkpoints.test_deepmind\nFlatMapping\n",
            b"chaiku._src.data_structures\nFlatMapping\n",
        )
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_pickle_as_haiku_writes_it(protocol, expected, tmp_path):
    tree = FlatMapping({k: FlatMapping(v) for k, v in nested(haiku_weights("fourier")).items()})
    path = write(tmp_path / "weights.pickle", tree, protocol)
    assert b"haiku" in path.read_bytes()
    model = blank(expected("fourier"))
    kp.load_deepmind_weights(model, path)
    assert_equal(model, expected("fourier"))


def test_params_and_state(expected, tmp_path):
    """The file of the convolution has moving averages, their counters and hidden sums."""
    params, state = {}, {}
    for name, array in haiku_weights("conv").items():
        (state if name.endswith("average") else params)[name] = array
    scopes = nested(state)
    for scope in scopes.values():
        scope |= {"counter": np.int32(7), "hidden": scope["average"] * 2}
    for protocol in (4, 5):
        path = tmp_path / f"{protocol}.pystate"
        tree = {"params": nested(params), "state": collections.OrderedDict(scopes)}
        path.write_bytes(pickle.dumps(tree, protocol=protocol))
        model = blank(expected("conv"))
        kp.load_deepmind_weights(model, path)
        assert_equal(model, expected("conv"))


def test_npz(expected, tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, **haiku_weights("language"))
    model = blank(expected("language"))
    kp.load_deepmind_weights(model, path)
    assert_equal(model, expected("language"))


def unchanged(model, weights, message):
    before = [np.array(weight) for weight in model.weights]
    with pytest.raises(ValueError, match=message):
        kp.load_deepmind_weights(model, weights)
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_what_does_not_fit_leaves_the_model_as_it_was(expected, tmp_path):
    model, weights = blank(expected("fourier")), haiku_weights("fourier")
    last = CLASSIFIER + "output//b"
    unchanged(model, {**weights, "x//y": np.zeros(3)}, r"no weight:\n  x//y \(3,\)")
    without = {name: array for name, array in weights.items() if name != last}
    unchanged(model, without, rf"classes_head/output/bias \(7,\), called {last}")
    unchanged(model, {**weights, last: np.zeros(8)}, r"\(7,\), but .*//b \(8,\)")
    unchanged(model, {**weights, last: np.full(7, np.nan)}, "not finite")
    unchanged(model, {**weights, last: np.zeros(7, "int32")}, "must hold floating-point")
    unchanged(model, {**weights, last: "seven"}, "must hold floating-point|must hold arrays")
    unchanged(model, tmp_path / "none.pickle", "must be a file that exists")
    (tmp_path / "a.txt").write_text("x")
    unchanged(model, tmp_path / "a.txt", "must be a dict or a file that ends in")
    with pytest.raises(ValueError, match="`model` must be a Perceiver"):
        kp.load_deepmind_weights("model", weights)
    other = kp.build_classifier(kp.Points(5), 3, compile=False)
    with pytest.raises(ValueError, match="must be one of the published models"):
        kp.load_deepmind_weights(other, weights)


@pytest.mark.parametrize("kind", ["pickle", "npz"])
def test_truncated_and_damaged_files(kind, expected, tmp_path):
    weights = haiku_weights("fourier")
    good = tmp_path / f"good.{kind}"
    if kind == "npz":
        np.savez(good, **weights)
    else:
        good.write_bytes(pickle.dumps(nested(weights), protocol=4))
    content = good.read_bytes()
    model = blank(expected("fourier"))
    for number, size in enumerate((0, 1, 50, len(content) // 2, len(content) - 1)):
        path = tmp_path / f"{number}.{kind}"
        path.write_bytes(content[:size])
        unchanged(model, path, "damaged|must be a pickle")


def test_a_flipped_byte_is_an_error_or_another_number(tmp_path):
    """Whatever byte is wrong: no crash, no code, no error of another kind."""
    tree = {"a": {"w": np.ones((3, 4), "float32")}, "b": {"b": np.ones(5, "float32")}}
    content = pickle.dumps(tree, protocol=2)
    path = tmp_path / "weights.pickle"
    random = np.random.default_rng(0)
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        try:
            kp.checkpoints.deepmind.deepmind_source(path)
        except ValueError:
            continue


class Evil:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class EvilState:
    """Sets attributes of an admitted name."""

    def __reduce__(self):
        return collections.OrderedDict, (), (None, {"__doc__": "changed"})


def test_a_malicious_file_is_refused_and_runs_nothing(expected, tmp_path):
    proof, model = tmp_path / "proof", blank(expected("fourier"))
    for number, evil in enumerate(
        [Evil(f"touch {proof}"), {"a": {"w": Evil(f"touch {proof}")}}, {"a": EvilState()}, [1], 7]
    ):
        for protocol in (0, 2, 4, 5):
            path = tmp_path / f"{number}_{protocol}.pickle"
            path.write_bytes(pickle.dumps(evil, protocol=protocol))
            unchanged(model, path, "must be a pickle of NumPy arrays in dicts")
    assert not proof.exists()
    pickle.loads((tmp_path / "0_4.pickle").read_bytes())
    assert proof.exists()  # the file does what it says, where it is not refused


def test_opcodes_that_ask_for_more(tmp_path):
    path = tmp_path / "a.pickle"
    for content in (
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",  # STACK_GLOBAL
        b"cbuiltins\neval\n.",  # GLOBAL
        b"\x80\x02(ibuiltins\neval\n.",  # INST
        b"\x80\x02Pabc\n.",  # PERSID
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"abc.",  # BINBYTES8 of 4 EiB
        b"\x80\x02]\x94.",
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="must be a pickle of NumPy arrays in dicts"):
            read_array_pickle(path)


def test_the_state_of_anything_but_an_array_is_not_set(tmp_path):
    path = tmp_path / "a.pickle"
    # BUILD on a function that may be named: a file would change its attributes.
    path.write_bytes(b"\x80\x02c_codecs\nencode\n}X\x01\x00\x00\x00aK\x01sb.")
    with pytest.raises(ValueError, match="sets the state of"):
        read_array_pickle(path)


def test_arrays_of_objects_are_refused(tmp_path):
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps({"a": {"w": np.array([{}, None])}}))
    with pytest.raises(ValueError, match="not a type of numbers"):
        read_array_pickle(path)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_all_kinds_and_orders(protocol, tmp_path):
    random = np.random.default_rng(0)
    tree = {
        "large": random.normal(size=(50, 71)).astype("float32"),
        "columns": np.asfortranarray(random.normal(size=(40, 60))),
        "big_endian": random.normal(size=5).astype(">f4"),
        "scalar": np.float32(7.5),
        "empty": np.zeros((0, 3), "float16"),
        "integers": np.arange(6, dtype="int64").reshape(2, 3),
    }
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(tree, protocol=protocol))
    found = read_array_pickle(path)
    for name, array in tree.items():
        np.testing.assert_array_equal(found[name].read(path), array)


def test_large_arrays_stay_in_the_file(tmp_path):
    import tracemalloc

    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps({"a": np.ones((1000, 4000)), "b": np.ones(10)}, protocol=4))
    tracemalloc.start()
    found = read_array_pickle(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21 < 32e6
    np.testing.assert_array_equal(found["a"].read(path), np.ones((1000, 4000)))
