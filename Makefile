# Two commands for a user: `make demo` and `make test`. Everything lands in .venv; nothing needs the network
# but a package registry.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := $(VENV)/.torch
PEERS := torch jax nest brian2

.PHONY: demo test test-all test-train check bench peers bench-peers lock train clean help

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## run the suite `temporal`, print the leaderboard, leave a report
	$(BIN)/nmbench run --suite temporal
	$(BIN)/nmbench report

test: $(READY) ## the tests that take minutes at most
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-all: $(READY) ## the slow tests too
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(TORCH) ## ruff, ruff format, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## how fast nmbench itself is
	$(BIN)/python -m pytest benchmarks --benchmark-only -p no:xdist -m "not slow"

peers: $(PEERS:%=.venvs/%/.ready) ## environments of the simulators that we stand beside (g++ needed to run Brian 2)

bench-peers: $(READY) ## time nmbench and its peers in one run (see benchmarks/README.md)
	$(BIN)/python benchmarks/run.py

lock: $(READY) ## renew requirements.lock from pyproject.toml
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra test --python-version 3.11 --universal \
		--no-header --no-annotate --generate-hashes -o requirements.lock

train: $(TORCH) ## train all reference networks again and compare them with the shipped ones (installs torch)
	$(BIN)/nmbench train all --size all -o trained

test-train: $(TORCH) ## the tests of the training scripts (installs torch)
	$(BIN)/python -m pytest -n 2 tests/training

clean: ## forget the environment; results and caches stay
	rm -rf $(VENV)

$(TORCH): $(READY) harness/nmbench/training/constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c harness/nmbench/training/constraints.txt torch
	touch $@

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venvs/%/.ready: benchmarks/environments/%/constraints.txt $(wildcard benchmarks/environments/*/*.in)
	$(PYTHON) -m venv .venvs/$*
	.venvs/$*/bin/python -m pip install -q --disable-pip-version-check -c $< -r $(<D)/requirements.in
	if [ -f $(<D)/no-deps.in ]; then .venvs/$*/bin/python -m pip install -q --disable-pip-version-check \
		--no-deps -c $< -r $(<D)/no-deps.in; fi
	touch $@
