# A fresh machine needs Python 3.11+ and git only; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types check bench clean

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,lint]"
	touch $@

demo: .venv/ready   ## set everything up and run the main job
	$(BIN)/sparsead demo brusselator

test: .venv/ready   ## set everything up and pass the tests
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

check: lint types test

bench: .venv/ready  ## the figures against the peers (installs them)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	$(BIN)/python -m benchmarks.brusselator

clean:
	rm -rf .venv build dist *.egg-info
