# A fresh machine needs Python 3.11+, git and make only; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Images of containers often forbid to keep bytecode; tests start many processes, each would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test doctest lint types check fuzz plain coverage mutate mutate-border numpy-tests scipy-tests versions optimised stress
.PHONY: allocations docs bench clean grids gpu examples lowest newest jax bare

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) -e ".[test,lint]"
	touch $@

.venv/extra-%: .venv/ready
	$(PIP) -e ".[$*]"
	touch $@

.venv/nox: .venv/ready
	$(PIP) nox
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

fuzz: .venv/ready     ## try random programs, colorings and files, with fresh seeds, for MINUTES=10 each
	$(BIN)/python -m tests.fuzz programs --minutes $(MINUTES)
	$(BIN)/python -m tests.fuzz matrices --minutes $(MINUTES)
	$(BIN)/python -m tests.fuzz readers --minutes $(MINUTES)

grids: .venv/extra-test-cuda ## run the kernels for devices on the CPU, for random programs, for MINUTES=10; assemble those of the benchmarks
	$(BIN)/python -m tests.fuzz grids --minutes $(MINUTES)
	$(BIN)/python -m tests.fuzz points --minutes $(MINUTES)
	GRIDS=all $(BIN)/python -m pytest -n 2 tests/laws/test_on_grids.py
	$(BIN)/python -m pytest tests/emit/test_grid.py tests/emit/test_assembled.py tests/derivatives/test_device*.py tests/benchmarks/test_gpu*.py

gpu:                  ## on a machine with a CUDA device: values against the CPU, bandwidth; some four minutes, writes build/gpu.md
	$(PYTHON) -m benchmarks.gpu

stress: .venv/ready   ## threads that prepare, evaluate, import, pickle, compile and fork at once, for MINUTES=10
	$(BIN)/python -m tests.stress --minutes $(MINUTES)

# Allocators that fill what they give and free, and that notice writes outside of it; the second is the C library's.
GUARDED := PYTHONMALLOC=debug MALLOC_CHECK_=3 MALLOC_PERTURB_=165 LD_PRELOAD=libc_malloc_debug.so.0

allocations: .venv/ready ## random programs, aliasing and calls of NumPy's functions, for MINUTES=10 each, over guarded memory
	$(GUARDED) $(BIN)/python -m tests.fuzz programs --minutes $(MINUTES)
	$(GUARDED) $(BIN)/python -m tests.fuzz aliasing --minutes $(MINUTES)
	$(GUARDED) $(BIN)/python -m tests.fuzz calls --minutes $(MINUTES)

plain: .venv/ready    ## pass the tests of kernels and sweeps without compiling anything
	NUMBA_DISABLE_JIT=1 SPARSEAD_BACKEND=python $(BIN)/python -m pytest -n 2 -m "not slow" $(PLAIN)

PLAIN := tests/coloring tests/kernels tests/program tests/sweeps tests/derivatives/test_hessian.py tests/derivatives/test_jacobian.py

# Assertions only narrow types, which `tests/test_optimised.py` holds; so numbers are the same.
GUARDS := tests/emit/test_cache.py tests/emit/test_private_folder.py tests/emit/test_pool.py tests/emit/test_back_ends.py \
	tests/keeping tests/test_memory.py tests/test_extras.py tests/cli tests/kernels/test_diagonals.py tests/kernels/test_pattern.py

coverage: .venv/extra-coverage ## measure lines and branches of sparsead/ and coloring/, compiled and plain together
	$(BIN)/python -m pytest -n 2 --cov --cov-report=
	NUMBA_DISABLE_JIT=1 SPARSEAD_BACKEND=python $(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-append $(PLAIN)

mutate-border: .venv/ready ## plant old faults of the border to NumPy: the check of each preparation must raise on each
	$(BIN)/python -m tests.mutation.border

mutate: .venv/ready   ## change every rule, one thing at a time: the laws must notice each change
	$(BIN)/python -m tests.mutation

VERSIONS := lowest newest jax bare

versions: $(VERSIONS) ## a few tests of every kind with the lowest and the newest versions, and a bare installation

$(VERSIONS): .venv/nox
	$(BIN)/nox --session $@ -- smoke

optimised: .venv/ready ## the quick tests of what guards input and memory; -OO leaves out what -O does, and docstrings
	$(BIN)/python -OO -m pytest -n 2 -p no:cacheprovider -m "not slow" $(GUARDS)

numpy-tests: .venv/ready ## run NumPy's own tests through the trace and count what differs (ONLY="linalg fft")
	$(BIN)/python -m tests.numpy $(ONLY)

scipy-tests: .venv/ready ## the same with SciPy's own tests, a few calls of each function in each module (ONLY="signal fft")
	$(BIN)/python -m tests.numpy --scipy --most 5 $(ONLY)

examples: .venv/ready ## run the examples in the docstrings of NumPy and SciPy with their arrays unknown (SOURCES="FOLDER FILE")
	$(BIN)/python -m tests.examples $(or $(SOURCES),numpy scipy)

docs: .venv/extra-docs ## build the documentation in build/docs; warnings are errors
	rm -rf docs/_generated/api build/docs build/doctrees  # pages of names that are gone, and what points at them
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	$(BIN)/python -m tests.docs.pages build/docs
	$(BIN)/python -m pytest -q tests/docs/test_reference.py

bench: .venv/extra-bench ## measure against the peers (installs them) and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist docs/_generated *.egg-info
