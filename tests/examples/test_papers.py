"""What all experiments of the papers share: their command, their table, their page."""

import importlib
import json
import sys
from pathlib import Path

import pytest

PAPERS = Path(__file__).parents[2] / "examples" / "papers"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(PAPERS))
    yield
    for name in [
        n for n, m in sys.modules.items() if PAPERS.name in str(getattr(m, "__file__", ""))
    ]:
        if Path(sys.modules[name].__file__).parent == PAPERS:
            del sys.modules[name]


@pytest.fixture
def experiment():
    module = importlib.import_module("experiment")
    return module.Experiment(
        name="made_up",
        title="Made up, in small",
        claim="Ours is better (table 0)",
        unit="accuracy",
        variants={"ours": lambda seed, options: 0.5 + seed / 10, "theirs": lambda *_: 0.4},
        verdict=lambda means: (means["ours"] > means["theirs"], f"ours {means['ours']:.2f}"),
        data="nothing",
        baselines=("theirs",),
    )


def test_scores_by_seed_and_a_page(experiment, tmp_path, capsys):
    module, results = importlib.import_module("experiment"), importlib.import_module("results")
    scores = module.run(experiment, "", ["--seeds", "3", "--results", str(tmp_path)])
    assert scores == {"ours": [0.5, 0.6, 0.7], "theirs": [0.4, 0.4, 0.4]}
    record = json.loads((tmp_path / "made_up.json").read_text())
    assert record["shows"] is True and record["verdict"] == "ours 0.60"
    printed = capsys.readouterr().out
    assert "0.600 (0.500 to 0.700)" in printed and "The claim shows" in printed
    text = results.main(tmp_path, tmp_path / "results.md")
    assert "| ours | 0.600 (0.500 to 0.700) |" in text and "| *theirs* | 0.400" in text
    assert "(#made-up-in-small)" in text and "| shows | 3 |" in text


def test_a_claim_that_does_not_show_is_said(experiment, tmp_path):
    module, results = importlib.import_module("experiment"), importlib.import_module("results")
    experiment.variants["ours"] = lambda *_: 0.1
    module.run(experiment, "", ["--results", str(tmp_path)])
    assert "**The claim does not show**" in results.main(tmp_path, tmp_path / "results.md")
    module.run(experiment, "", ["--only", "ours", "--results", str(tmp_path)])
    assert "No verdict" in results.main(tmp_path, tmp_path / "results.md")


def test_unknown_variants_are_named(experiment):
    module = importlib.import_module("experiment")
    with pytest.raises(SystemExit, match="oars"):
        module.run(experiment, "", ["--only", "oars"])


@pytest.mark.slow
@pytest.mark.tensorflow
def test_permuted_pixels(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("sklearn")
    module = importlib.import_module("permuted_pixels")
    scores = module.run(
        module.EXPERIMENT,
        "",
        ["--steps", "2", "--data_dir", str(tmp_path), "--dataset", "optical_digits"],
    )
    assert set(scores) == set(module.EXPERIMENT.variants)
    assert all(0 <= score <= 1 for values in scores.values() for score in values)
    # Points that are moved with their positions are the same set.
    assert scores["Perceiver"][0] == pytest.approx(scores["Perceiver, permuted"][0], abs=0.02)
