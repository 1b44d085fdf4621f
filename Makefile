# `make demo` and `make test` do all their own set-up; PYTHON picks the interpreter.
PYTHON ?= python3
VENV ?= .venv
# The trainings and examples that take longest run in .ci/run: make test TESTS="-m slow".
TESTS ?= -m "not slow"
BIN := $(VENV)/bin

.PHONY: demo test reproduce lint types docs package bench browser accelerator-check clean

demo: $(VENV)/.base
	$(BIN)/jsuper reproduce exrelu --output out

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

# Debian's Chromium (as root), for the tests of the explorer; without it they are left out.
browser:
	command -v chromium || (apt-get update && apt-get install -y chromium)

# Every experiment of the paper in full, and the figures of the gallery.
reproduce: $(VENV)/.base
	$(BIN)/jsuper reproduce all --output docs/gallery/results

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/basedpyright --pythonpath $(BIN)/python

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

# Builds what is released, and tries it in an empty environment.
package: $(VENV)/.dev
	.ci/package $(BIN)/python

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/scaling.py

# Compiles training for an H100 and a TPU that need not be here, and checks the programs. In
# an environment of its own: JAX looks for the devices that its plugins are for.
accelerator-check:
	$(MAKE) VENV=$(VENV)-accelerators $(VENV)-accelerators/.accelerators
	$(VENV)-accelerators/bin/python benchmarks/accelerator_check.py

clean:
	rm -rf $(VENV) $(VENV)-accelerators out docs/_build

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("jsuper needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[test]'
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[test,lint,docs,package]'
	touch $@

$(VENV)/.accelerators: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[accelerators]'
	touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e '.[bench]'
	touch $@
