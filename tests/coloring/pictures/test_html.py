"""Notebook forms are well-formed, small, and show what the matrix holds."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import scipy.sparse

import coloring
from coloring import SparsityPattern
from coloring.pictures.html import Html, facts, table
from coloring.pictures.thumbnail import BINS

from ..helpers import COLORINGS, MATRICES


def parsed(html):
    return ElementTree.fromstring(f"<page>{html}</page>")


def drawn(page):
    """Return the cells of a thumbnail: 0 for white, else the number of the path."""
    svg = page.find(".//svg")
    columns, rows = map(int, svg.get("viewBox").split()[2:])
    cells = np.zeros((rows, columns), int)
    for number, path in enumerate(svg.iter("path"), start=1):
        for column, row, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.get("d")):
            assert not cells[int(row), int(column) : int(column) + int(width)].any()
            cells[int(row), int(column) : int(column) + int(width)] = number
    return cells


@pytest.mark.parametrize("name", MATRICES)
def test_a_picture_has_the_entries_of_the_pattern(name):
    A = MATRICES[name]
    page = parsed(SparsityPattern.from_scipy(A)._repr_html_())
    text = "".join(page.itertext())
    assert f"{A.shape[0]:,} x {A.shape[1]:,}" in text and f"{A.nnz:,} (" in text
    if 0 < max(A.shape) <= BINS and min(A.shape):
        np.testing.assert_array_equal(drawn(page) > 0, A.toarray() != 0)


@pytest.mark.parametrize("name", COLORINGS)
def test_a_picture_has_the_colors_of_the_entries(name):
    A = scipy.sparse.csr_array(MATRICES["power_network"])[:40, :40]
    result = coloring.color(A, *COLORINGS[name])
    page = parsed(result._repr_html_())
    assert f"{result.num_colors} (" in "".join(page.itertext())
    cells = drawn(page)
    np.testing.assert_array_equal(cells > 0, A.toarray() != 0)
    if name == "column":
        for column, color in enumerate(result.colors):
            assert set(cells[:, column]) <= {0, color + 1}


def test_a_large_pattern_is_a_few_kilobytes():
    A = scipy.sparse.random_array((100_000, 50_000), density=2e-5, random_state=np.random.default_rng(1))
    html = SparsityPattern.from_scipy(A)._repr_html_()
    assert len(html) < 50_000
    assert drawn(parsed(html)).shape == (BINS, BINS)


def test_tables_escape_text_and_align_numbers():
    page = parsed(table(("a", "b"), [("x < 1", "1,234.5"), (Html("<b>bold</b>"), 2)]))
    assert [cell.text for cell in page.iter("td")] == ["x < 1", "1,234.5", None, "2"]
    assert ["right" in cell.get("style") for cell in page.iter("td")] == [False, True, False, True]


def test_facts_have_a_title():
    assert "".join(parsed(facts("T & U", [("one", "two")])).itertext()) == "T & Uonetwo"
