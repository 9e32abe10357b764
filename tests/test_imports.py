"""The house rule: imports run strictly downward. Read off the source, so a lazy import counts too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each part of the house and what it may import of the others.
ALLOWED = {
    "coloring": {"coloring.interrupts", "coloring.cached"},
    "coloring.interrupts": set(),
    "coloring.cached": set(),
    "sparsead.contract": {"coloring", "sparsead.errors", "sparsead.tracing"},
    "sparsead.forks": set(),
    "sparsead.errors": set(),
    "sparsead.extras": set(),
    "sparsead.memory": set(),
    "sparsead.namesake": {"coloring"},
    "sparsead.stages": {"coloring", "sparsead.memory"},
    "sparsead.problems": {"sparsead.errors"},
    "sparsead.program": {"sparsead.errors", "sparsead.memory"},
    "sparsead.tracing": {
        "coloring.interrupts", "sparsead.errors", "sparsead.forks", "sparsead.memory", "sparsead.program",
    },
    "sparsead.ops": {"coloring.cached", "sparsead.errors", "sparsead.program", "sparsead.tracing"},
    "sparsead.extend": {
        "coloring", "coloring.cached", "sparsead.derivatives", "sparsead.errors", "sparsead.program",
        "sparsead.tracing",
    },
    "sparsead.kernels": {"coloring", "coloring.cached", "sparsead.errors", "sparsead.memory", "sparsead.program"},
    "sparsead.emit": {
        "coloring.cached", "coloring.interrupts", "sparsead.errors", "sparsead.forks", "sparsead.memory",
        "sparsead.program", "sparsead.kernels",
    },
    "sparsead.explain": {"coloring", "sparsead.errors", "sparsead.memory", "sparsead.program", "sparsead.kernels"},
    "sparsead.keeping": {"coloring", "sparsead.errors", "sparsead.forks", "sparsead.memory", "sparsead.kernels"},
    "sparsead.checking": {"coloring", "sparsead.contract", "sparsead.errors"},
    "sparsead.sweeps": {
        "coloring", "coloring.cached", "sparsead.errors", "sparsead.memory", "sparsead.program", "sparsead.kernels",
        "sparsead.emit",
    },
    "sparsead.derivatives": {
        "coloring", "coloring.cached", "sparsead.contract", "sparsead.errors", "sparsead.extras", "sparsead.memory",
        "sparsead.stages", "sparsead.program", "sparsead.tracing", "sparsead.ops", "sparsead.kernels", "sparsead.emit",
        "sparsead.explain", "sparsead.keeping", "sparsead.checking", "sparsead.sweeps",
    },
    "sparsead.ranks": {
        "coloring", "sparsead.errors", "sparsead.extras", "sparsead.program", "sparsead.tracing", "sparsead.checking",
        "sparsead.derivatives",
    },
}  # fmt: skip
LIBRARIES_OF_COLORING = {"numpy", "scipy", "numba", "networkx"}
DRAWS = (
    ROOT / "coloring" / "pictures" / "figures.py"
)  # the one file that knows matplotlib, which it imports when it draws


def imported(file: Path) -> set[str]:
    """Return the dotted names of modules (and of what is taken from them) that a file imports."""
    names = set()
    package = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names if module == "sparsead")}
    return names


def part_of(name: str) -> str:
    if name in ("coloring.interrupts", "coloring.cached"):
        return name
    head, *tail = name.split(".")
    return f"sparsead.{tail[0]}" if head == "sparsead" and tail else head


def files_of(part: str) -> list[Path]:
    path = ROOT / part.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_run_downward(part):
    assert files_of(part), f"{part} has no files"
    for file in files_of(part):
        parts = {part_of(name) for name in imported(file) if name.split(".")[0] in ("sparsead", "coloring")}
        assert parts - {part} <= ALLOWED[part], f"{file} imports {parts - {part} - ALLOWED[part]}"


def test_every_module_is_held():
    """Only the shop window and what stands above the core are free to import anything."""
    free = {"__init__", "__main__", "cli", "measuring", "solvers"}
    names = {p.stem for p in (ROOT / "sparsead").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert {f"sparsead.{name}" for name in names - free} == {part for part in ALLOWED if part.startswith("sparsead")}


def test_core_imports_nothing_from_above():
    for part in ALLOWED:
        for file in files_of(part):
            forbidden = (
                "sparsead.solvers",
                "sparsead.cli",
                "sparsead.measuring",
                *(() if file == DRAWS else ("matplotlib",)),
            )
            above = {name for name in imported(file) if name.startswith(forbidden)}
            assert not above, f"{file} imports {above}"


def test_coloring_imports_few_libraries():
    import sys

    for file in files_of("coloring"):
        heads = {name.split(".")[0] for name in imported(file)} - set(sys.stdlib_module_names) - {"coloring"}
        assert heads <= LIBRARIES_OF_COLORING | ({"matplotlib"} if file == DRAWS else set()), file


def _modules(file: Path, node: ast.AST) -> Iterator[Path]:
    """Yield the files that a statement imports: modules, or what names are taken from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield _file(ROOT.joinpath(*alias.name.split(".")))
    elif isinstance(node, ast.ImportFrom):
        inside = file.relative_to(ROOT).parts[:-1]
        above = inside[: len(inside) + 1 - node.level] if node.level else ()
        base = ROOT.joinpath(*above, *(node.module or "").split("."))
        for alias in node.names:
            module = _file(base / alias.name)
            yield module if module.exists() else _file(base)


def _file(module: Path) -> Path:
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")


@pytest.mark.parametrize("package", ["coloring", "sparsead"])
def test_no_circle_between_files(package):
    """Below the shop window, ``__init__.py``, no file imports itself through others, not even for types alone."""
    files = {file: set() for file in files_of(package) if file != ROOT / package / "__init__.py"}
    for file, below in files.items():
        for node in ast.walk(ast.parse(file.read_text())):
            below |= {module for module in _modules(file, node) if module in files and module != file}
    assert sum(map(len, files.values())) > len(files)
    TopologicalSorter(files).prepare()
