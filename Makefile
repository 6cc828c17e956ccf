# Two commands: `make demo` shows a Perceiver learning, `make test` shows the tests passing.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test check format test-backends benchmark clean

demo: $(VENV)/.installed
	$(RUN) examples/digits.py

test: $(VENV)/.installed
	$(RUN) -m pytest -n auto --durations=20

check: $(VENV)/.installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(RUN) -m pytest -q tests/test_import_rules.py

format: $(VENV)/.installed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# The core on CPU JAX and CPU torch, in an environment of its own.
test-backends: .venv-backends/.installed
	KERAS_BACKEND=jax .venv-backends/bin/python -m pytest -m "not tensorflow" $(CORE_TESTS)
	KERAS_BACKEND=torch .venv-backends/bin/python -m pytest -m "not tensorflow" $(CORE_TESTS)

CORE_TESTS := tests/layers tests/golden tests/inputs tests/outputs tests/models/test_wiring.py

$(VENV)/.installed: pyproject.toml setup.cfg
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e ".[test,dev]"
	touch $@

.venv-backends/.installed: pyproject.toml setup.cfg
	$(PYTHON) -m venv .venv-backends
	.venv-backends/bin/pip install --quiet --disable-pip-version-check "torch==2.13.0"
	.venv-backends/bin/pip install --quiet --disable-pip-version-check jax keras numpy pytest hypothesis
	touch $@

# Ours and other implementations, timed in turn; see benchmarks/README.md. ARGUMENTS=--quick is short.
benchmark: $(VENV)/.installed
	$(RUN) benchmarks/run.py $(ARGUMENTS)

clean:
	rm -rf $(VENV) .venv-backends .venv-peers build *.egg-info .pytest_cache .ruff_cache .hypothesis
