"""Results of the parts, kept beside the code: a run that was cut off goes on, and a part can be renewed alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from benchmarks.pages import Measured
from benchmarks.report import Dots, Lines, Part, Race, Table, Target, machine

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "results"
KINDS: dict[str, type[Part]] = {kind.__name__: kind for kind in (Table, Target, Race, Lines, Dots)}


def source() -> str:
    """Return a hash of the code that is measured: results of other code do not count."""
    found = hashlib.sha256()
    for folder in ("sparsead", "coloring", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def keep(name: str, parts: list[Part], folder: Path = FOLDER) -> Measured:
    """Write the results of a part, with the day."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Measured(parts, date.today().isoformat(), machine())
    content = {
        "source": source(),
        "day": found.day,
        "where": found.where,
        "parts": [[type(part).__name__, asdict(part)] for part in parts],
    }
    temporary = folder / f"{name}.json.new"
    temporary.write_text(json.dumps(content, indent=1, default=float))
    temporary.replace(folder / f"{name}.json")
    return found


def kept(name: str, folder: Path = FOLDER, any_source: bool = False) -> Measured | None:
    """Return the results of a part; None if there are none, or (unless `any_source`) if the code has changed since."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    if content["source"] != source() and not any_source:
        return None
    return Measured([KINDS[kind](**fields) for kind, fields in content["parts"]], content["day"], content["where"])
