"""Every draw is a valid model within its budget, whichever tuner draws it."""

import gc

import keras_tuner
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

import keras_perceiver as kp

BUDGETS = {
    "parameters": {"parameters": 60_000},
    "flops": {"flops": 3e6},
    "memory": {"memory": 4e6},
    "all": {"parameters": 90_000, "flops": 4e6, "memory": 6e6},
    "none": None,
}
TINY = {  # a search whose models train in seconds
    "latent_dim": [4, 6, 8],
    "num_latents": [2, 3],
    "num_self_attends_per_block": [1, 2],
    "num_self_attention_heads": [2, 3],
    "learning_rate": (1e-3, 1e-2),
}


def limits_of(hypermodel, hp):
    of_one = kp.costs({**hypermodel.fixed, **hypermodel.arguments(hp)})
    of_a_batch = hypermodel.costs(hp)
    return {
        "parameters": of_one.parameters,
        "flops": of_one.flops,
        "memory": of_a_batch.training_bytes,
    }


@pytest.mark.parametrize(
    "budget",
    [
        pytest.param(budget, id=name, marks=[pytest.mark.slow] * (name in ("flops", "memory")))
        for name, budget in BUDGETS.items()
    ],
)
def test_random_draws_are_within_the_budget(budget, tmp_path):
    image = kp.Image(8, 8, 1, stem="conv", stem_norm="group")
    hypermodel = kp.tuning.PerceiverHyperModel(image, num_classes=10, budget=budget)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("loss", "min"), max_trials=40, seed=1
    )
    oracle._set_project_dir(tmp_path, "draws")
    oracle.verbose = 0
    hp = oracle.get_space()
    hypermodel.declare_hyperparameters(hp)
    oracle.update_space(hp)
    sizes = set()
    for i in range(40):
        hp = oracle.create_trial(f"tuner{i}").hyperparameters
        needed = limits_of(hypermodel, hp)
        assert all(needed[kind] <= limit for kind, limit in (budget or {}).items())
        drawn = hypermodel.arguments(hp)
        assert drawn["latent_dim"] % drawn["num_self_attention_heads"] == 0
        assert 3e-4 <= drawn["learning_rate"] <= 6e-3
        sizes.add(tuple(value for name, value in drawn.items() if name != "learning_rate"))
    assert len(sizes) >= min(10, len(hypermodel.space.combinations()))


def test_the_built_model_is_what_the_costs_say():
    budget = {"parameters": 30_000}
    hypermodel = kp.tuning.PerceiverHyperModel((8, 8, 1), num_classes=10, budget=budget)
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    assert model.count_params() == hypermodel.costs(hp).parameters <= 30_000
    assert model.optimizer.learning_rate.numpy() == pytest.approx(hp.get("learning_rate"))
    config, drawn = model.get_config(), hypermodel.arguments(hp)
    assert all(config[name] == drawn[name] for name in drawn if name != "learning_rate")
    assert config["use_query_residual"]


def test_options_are_fixed_and_not_searched():
    hypermodel = kp.tuning.PerceiverHyperModel(
        {"x": kp.Array((5, 2))}, {"y": kp.Values(2)}, latent_dim=24, search={"dropout": [0.0, 0.1]}
    )
    assert hypermodel.arguments(keras_tuner.HyperParameters()) == {"dropout": 0.0}
    hypermodel = kp.tuning.PerceiverHyperModel((5, 2), num_classes=3, latent_dim=64)
    assert "latent_dim" not in hypermodel.arguments(keras_tuner.HyperParameters())


def data():
    labels = np.arange(24) % 3
    images = np.eye(3, dtype="float32")[labels][:, :, None] + np.zeros((24, 3, 2), "float32")
    return {"x": images, "y": labels, "validation_data": (images, labels)}


class Eager(kp.tuning.PerceiverHyperModel):
    """Models that train without being traced, which takes far longer than two small steps."""

    def build(self, hp):
        model = super().build(hp)
        model.run_eagerly = True
        return model


TUNERS = {
    "random": lambda model, **options: keras_tuner.RandomSearch(model, max_trials=3, **options),
    "bayesian": lambda model, **options: keras_tuner.BayesianOptimization(
        model, max_trials=5, num_initial_points=3, **options
    ),
    "hyperband": lambda model, **options: keras_tuner.Hyperband(
        model, max_epochs=2, factor=2, **options
    ),
    "grid": lambda model, **options: keras_tuner.GridSearch(model, **options),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of five points
@pytest.mark.parametrize("name", TUNERS)
def test_every_tuner_searches(name, tmp_path):
    search = dict(TINY)
    if name == "grid":  # all of it: two widths, with two and three heads or with two only
        search = {"latent_dim": [4, 6], "num_self_attention_heads": [2, 3]}
    fixed = {} if name != "grid" else {"num_latents": 2, "num_self_attends_per_block": 1}
    hypermodel = Eager(
        (3, 2),
        num_classes=3,
        budget={"parameters": 1_500},
        search=search,
        jit_compile=False,
        **fixed,
    )
    tuner = TUNERS[name](
        hypermodel, objective="val_loss", seed=1, directory=tmp_path, project_name="search"
    )
    tuner.search(**data(), epochs=2, verbose=0)
    trials = list(tuner.oracle.trials.values())
    assert {trial.status for trial in trials} == {"COMPLETED"}
    for trial in trials:
        assert limits_of(hypermodel, trial.hyperparameters)["parameters"] <= 1_500
    drawn = [hypermodel.arguments(trial.hyperparameters) for trial in trials]
    if name == "grid":
        wanted = [(4, 2), (6, 2), (6, 3)]
        found = [(one["latent_dim"], one["num_self_attention_heads"]) for one in drawn]
        assert sorted(found) == wanted
    (best,) = tuner.get_best_models()
    assert best(data()["x"]).shape == (24, 3)


@pytest.mark.slow
def test_compiled_steps_of_a_trial_are_forgotten():
    hypermodel = kp.tuning.PerceiverHyperModel(
        (3, 2), num_classes=3, search={"latent_dim": [4]}, jit_compile=False, num_latents=2
    )

    def alive():
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    before = alive()
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    loss = hypermodel.fit(hp, model, data()["x"], data()["y"], verbose=0).history["loss"][0]
    assert model.fit(data()["x"], data()["y"], verbose=0).history["loss"][0] != loss  # still trains
    assert alive() > before
    del model
    assert alive() <= before


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "Either `outputs` or `num_classes` must be given"),
        ({"num_classes": 3, "outputs": kp.Classes(3)}, "Either `outputs` or `num_classes`"),
        ({"num_classes": 3, "budget": {"params": 9}}, r"`budget` must be one of \('parameters'"),
        ({"num_classes": 3, "budget": 9}, "`budget` must be a dict"),
        ({"num_classes": 3, "budget": {"flops": 0}}, r"`budget\['flops'\]` must be a finite"),
        (
            {"num_classes": 3, "budget": {"parameters": 100}},
            r"`budget` is below the cheapest model of the search, which needs \{'parameters'",
        ),
        ({"num_classes": 3, "search": {}}, "`search` must be a dict"),
        ({"num_classes": 3, "search": {"latent_dims": [8]}}, "Did you mean `latent_dim`"),
        ({"num_classes": 3, "search": {"latent_dim": (8, 64)}}, "must be a list of different"),
        ({"num_classes": 3, "search": {"dropout": []}}, "or a pair of numbers"),
        ({"num_classes": 3, "search": {"learning_rate": (1e-2, 1e-3)}}, "above 0.01"),
        (
            {"num_classes": 3, "search": {"latent_dim": [9]}, "num_self_attention_heads": 2},
            "`latent_dim` must be divisible by `num_self_attention_heads`",
        ),
        ({"num_classes": 3, "batch_size": 0}, "`batch_size` must be a whole number"),
    ],
)
def test_what_cannot_be_searched_is_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        kp.tuning.PerceiverHyperModel((3, 2), **arguments)


def test_an_unknown_option_is_named():
    with pytest.raises(TypeError, match="Did you mean `num_blocks`"):
        kp.tuning.PerceiverHyperModel((3, 2), num_classes=3, num_block=2)
