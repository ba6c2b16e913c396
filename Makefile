# make demo   the whole way on the built-in model: import, train, evaluate, in about four minutes on two cores
# make test   all tests, offline
# make check  style and types
# make docs   this documentation as a site, in build/site
# Each builds .venv from requirements.lock first, once; Python 3.11 or newer is all that has to be there.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON := $(firstword $(foreach name,python3.11 python3 python,$(shell command -v $(name))))
TESTS ?= tests

.PHONY: setup demo test check docs clean

setup: $(READY)

# torch goes first and alone: with its own dependencies it brings what this machine's graphics card needs, if any.
# Everything else is installed exactly as locked.
$(READY): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "ownvoice needs Python 3.11 or newer; '$(PYTHON)' is older or missing." >&2; exit 1; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint requirements.lock "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	touch $(READY)

demo: $(READY)
	$(BIN)/ownvoice demo

# One thread a worker: on two cores, two workers that each start two threads are slower than one.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=worksteal $(PYTEST_ARGS) $(TESTS)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .coverage
