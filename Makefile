# A fresh machine needs Python 3.11+, git and make only; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test doctest lint types check fuzz docs bench clean

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) -e ".[test,lint]"
	touch $@

demo: .venv/ready     ## set everything up and run the main job
	$(BIN)/sparsead demo brusselator

test: .venv/ready     ## set everything up and pass the tests
	$(BIN)/python -m pytest -n 2

doctest: .venv/ready  ## run the examples in the docstrings
	$(BIN)/python -m pytest -n 2 --doctest-modules sparsead coloring

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

check: lint types test doctest

MINUTES ?= 10

fuzz: .venv/ready     ## try random programs, then random colorings, with fresh seeds, for MINUTES=10 each
	$(BIN)/python -m tests.fuzz programs --minutes $(MINUTES)
	$(BIN)/python -m tests.fuzz matrices --minutes $(MINUTES)

docs: .venv/ready     ## build the documentation in build/docs; warnings are errors
	$(PIP) -e ".[docs]"
	rm -rf docs/_generated/api  # pages of names that are gone
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	$(BIN)/python -m tests.docs.pages build/docs

bench: .venv/ready    ## measure against the peers (installs them) and write docs/benchmarks.md
	$(PIP) -e ".[bench]"
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist docs/_generated *.egg-info
