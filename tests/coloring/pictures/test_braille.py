"""Pictures made of characters: read back dot by dot, by the names that Unicode gives the characters."""

import unicodedata

import numpy as np
import pytest

from coloring import SparsityPattern
from coloring.pictures.braille import DOTS, braille

PLACES = {1: (0, 0), 2: (1, 0), 3: (2, 0), 7: (3, 0), 4: (0, 1), 5: (1, 1), 6: (2, 1), 8: (3, 1)}


def read_back(picture):
    """Return the dots inside the brackets: "BRAILLE PATTERN DOTS-17" has dots 1 and 7."""
    lines = [line[1:-1] for line in picture.splitlines()]
    dots = np.zeros((4 * len(lines), 2 * len(lines[0])), bool)
    for i, line in enumerate(lines):
        for j, character in enumerate(line):
            named = unicodedata.name(character).removeprefix("BRAILLE PATTERN ").removeprefix("DOTS-")
            for number in () if named == "BLANK" else map(int, named):
                row, column = PLACES[number]
                dots[4 * i + row, 2 * j + column] = True
    return dots


@pytest.mark.parametrize("shape", [(1, 1), (4, 2), (5, 7), (30, 9), (96, 95)])
def test_every_entry_has_its_dot(shape):
    dense = np.random.default_rng(0).random(shape) < 0.3
    dots = read_back(braille(SparsityPattern.from_scipy(dense)))
    np.testing.assert_array_equal(dots[: shape[0], : shape[1]], dense)
    assert dots.sum() == dense.sum()


def test_large_matrices_are_binned():
    pattern = SparsityPattern.from_coo([0, 999, 999], [0, 0, 499], shape=(1000, 500))
    dots = read_back(braille(pattern))
    assert dots.shape == (DOTS, DOTS)
    assert sorted(zip(*np.nonzero(dots), strict=True)) == [(0, 0), (DOTS - 1, 0), (DOTS - 1, DOTS - 1)]


def test_empty_ones_have_brackets():
    for shape in ((0, 0), (0, 5), (3, 0)):
        assert not read_back(braille(SparsityPattern.from_coo([], [], shape=shape))).any()


def test_print_says_the_size_and_draws():
    first, *picture = str(SparsityPattern.from_coo([0, 1, 1], [0, 0, 2], shape=(2, 3))).splitlines()
    assert first == "sparsity pattern: 2 x 3, entries: 3 (0.5 of all), 1 to 2 per row"
    assert picture == ["[⠃⠂]"]
    assert str(SparsityPattern.from_scipy(np.eye(9))).splitlines()[1:] == ["⎡⠑⢄⠀⠀⠀⎤", "⎢⠀⠀⠑⢄⠀⎥", "⎣⠀⠀⠀⠀⠁⎦"]
