"""Pictures are small, hold what they should, and are the same for the same data."""

import math
import xml.etree.ElementTree as ET

from benchmarks.pictures import draw
from benchmarks.report import Dots, Lines

LINES = Lines("growth", "Growth", "unknowns", {"ms": {"one": [[10, 1.0], [100, 2.0]]}, "ratio": {"two": [[10, 3.0]]}})
DOTS = Dots("passes", "Passes", "passes", ["a", "b"], {"bound": [3.0, 4.0], "columns": [3.0, math.nan]})


def texts(path):
    return {"".join(node.itertext()).strip() for node in ET.parse(path).iter() if node.tag.endswith("}text")}


def test_lines_are_labelled(tmp_path):
    assert {"unknowns", "ms", "ratio", "one", "two"} <= texts(draw(LINES, tmp_path))


def test_dots_are_labelled(tmp_path):
    assert {"passes", "a", "b", "bound", "columns"} <= texts(draw(DOTS, tmp_path))


def test_the_same_data_give_the_same_small_file(tmp_path):
    first, second = draw(LINES, tmp_path / "1").read_bytes(), draw(LINES, tmp_path / "2").read_bytes()
    assert first == second and len(first) < 50_000
