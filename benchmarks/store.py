"""Results of the parts on disk, so that a run that was cut off goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.report import Dots, Lines, Part, Race, Table, Target

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "out" / "parts"
KINDS: dict[str, type[Part]] = {kind.__name__: kind for kind in (Table, Target, Race, Lines, Dots)}


def source() -> str:
    """Return a hash of the code that is measured: results of other code do not count."""
    found = hashlib.sha256()
    for folder in ("sparsead", "coloring", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def keep(name: str, parts: list[Part], folder: Path = FOLDER) -> None:
    """Write the results of a part."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"source": source(), "parts": [[type(part).__name__, asdict(part)] for part in parts]}
    temporary = folder / f"{name}.json.new"
    temporary.write_text(json.dumps(content, indent=1, default=float))
    temporary.replace(folder / f"{name}.json")


def kept(name: str, folder: Path = FOLDER, any_source: bool = False) -> list[Part] | None:
    """Return the results of a part; None if there are none, or (unless `any_source`) if the code has changed since."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    if content["source"] != source() and not any_source:
        return None
    return [KINDS[kind](**fields) for kind, fields in content["parts"]]
