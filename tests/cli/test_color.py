"""``sparsead color``: the numbers are those of the package, bad files get one line and status 2."""

import gzip
import os
import re
import tracemalloc

import numpy as np
import pytest
import scipy.io
from click.testing import CliRunner
from matplotlib.image import imread

import coloring
from benchmarks import matrices
from coloring.orders import ORDERS
from sparsead.cli.color import COLORINGS, color
from sparsead.cli.market import BadMatrixError, read_pattern


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *args: CliRunner().invoke(color, list(args))


@pytest.fixture
def mesh(tmp_path):
    A = matrices.mesh(40)
    scipy.io.mmwrite(tmp_path / "mesh.mtx", A)
    with gzip.open(tmp_path / "mesh.mtx.gz", "wb") as file:
        file.write((tmp_path / "mesh.mtx").read_bytes())
    return A


def counts(output, order):
    """Numbers of passes in the row of an order."""
    (row,) = re.findall(rf"^ *{order} (.*)$", output, re.MULTILINE)
    return [int(cell) for cell in re.findall(r"(\d+) +\d+\.\d+", row)]


@pytest.mark.parametrize("file", ["mesh.mtx", "mesh.mtx.gz"])
def test_the_table_holds_the_counts_of_every_coloring_and_order(run, mesh, file):
    done = run(file)
    assert done.exit_code == 0, done.output
    for order in [*ORDERS, "auto"]:
        expected = [
            coloring.color(mesh, *terms, order=order).num_colors
            for terms in COLORINGS.values()
            if terms[0] == "symmetric" or not order.startswith("distance_two")
        ]
        assert counts(done.output, order.replace("distance_two", "d2")) == expected
    bounds = [coloring.color(mesh, *terms).lower_bound for terms in COLORINGS.values()]
    assert re.findall(r"\d+", done.output.split("lower bound")[1]) == [str(bound) for bound in bounds]


def test_one_structure_and_chosen_orders(run, mesh):
    done = run("mesh.mtx", "--structure", "symmetric", "--order", "natural", "--order", "auto")
    assert "bicoloring" not in done.output
    assert len(counts(done.output, "natural")) == len(counts(done.output, "auto")) == 2
    assert "saturation" not in done.output


def test_the_picture_shows_the_best_coloring(run, mesh):
    done = run("mesh.mtx", "--order", "natural", "--plot", "mesh.png")
    assert done.exit_code == 0, done.output
    fewest = min(coloring.color(mesh, *terms, order="natural").num_colors for terms in COLORINGS.values())
    assert f"{fewest} colors" in done.output
    assert imread("mesh.png").std() > 0


def test_a_rectangular_matrix_has_no_symmetric_colorings(run, tmp_path):
    scipy.io.mmwrite(tmp_path / "wide.mtx", matrices.random(5, 9, 0.3))
    done = run("wide.mtx", "--order", "auto")
    assert done.exit_code == 0
    assert len(counts(done.output, "auto")) == 4
    refused = run("wide.mtx", "--structure", "symmetric")
    assert refused.exit_code == 2
    assert "not symmetric" in refused.output


def test_orders_that_would_look_at_too_many_pairs_are_left_out(run, tmp_path, monkeypatch):
    scipy.io.mmwrite(tmp_path / "dense.mtx", np.ones((6, 6)))
    monkeypatch.setattr("coloring.problems.base.PAIR_LIMIT", 10)
    done = run("dense.mtx", "--structure", "nonsymmetric")
    assert len(counts(done.output, "natural")) == 4
    assert len(counts(done.output, "saturation")) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["absent.mtx"], "absent.mtx: there is no such file; expected a Matrix Market file"),
        (["."], ".: is a folder; expected a Matrix Market file"),
        (["mesh.mtx", "--plot", "missing/mesh.png"], "there is no folder missing"),
        (["mesh.mtx", "--order", "natural", "--plot", "mesh.docx"], "cannot write mesh.docx: Format 'docx' is not"),
    ],
)
def test_files_that_cannot_be_read_or_written_get_a_message(run, mesh, args, message):
    done = run(*args)
    assert done.exit_code == 2 and message in done.output


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mtx", b""),
        ("text.mtx", b"this is no matrix\n"),
        ("header.mtx", b"%%MatrixMarket matrix coordinate real general\n"),
        ("short.mtx", b"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1.0\n"),
        ("outside.mtx", b"%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1.0\n"),
        ("vector.mtx", b"%%MatrixMarket vector coordinate real general\n2 1\n1 1.0\n"),
        ("cut.mtx.gz", gzip.compress(b"%%MatrixMarket matrix coordinate real general\n" * 50, mtime=0)[:60]),
        ("plain.mtx.gz", b"not compressed"),
    ],
)
def test_a_file_that_holds_no_matrix_gets_one_line(run, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    done = run(name)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {name} is no Matrix Market file of a matrix: ")
    assert done.output.count("\n") == 1


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
def test_matrices_that_list_all_values(tmp_path, symmetry):
    values = {"general": range(6), "symmetric": [1, 0, 2, 0, 3, 4], "skew-symmetric": [1, 0, 2]}[symmetry]
    shape = "2 3" if symmetry == "general" else "3 3"
    path = tmp_path / "dense.mtx"
    path.write_text("\n".join([f"%%MatrixMarket matrix array real {symmetry}", "% note", shape, *map(str, values)]))
    np.testing.assert_array_equal(read_pattern(path).to_scipy().toarray() != 0, scipy.io.mmread(path) != 0)
    path.write_text(path.read_text() + "\n7\n")
    with pytest.raises(BadMatrixError, match="values for a"):
        read_pattern(path)


def test_a_small_file_is_read_in_little_memory(tmp_path):
    """A thousand zeros take one byte; once a list of lists of numbers was made of them."""
    path = tmp_path / "zeros.mtx.gz"
    n = 1500
    with gzip.open(path, "wt") as file:
        file.write(f"%%MatrixMarket matrix array real general\n{n} {n}\n" + "0\n" * (n * n - 1) + "1\n")
    tracemalloc.start()
    try:
        assert read_pattern(path).nnz == 1
        assert tracemalloc.get_traced_memory()[1] < 3 * 2 * n * n + 4e7  # of the text, and of one block
    finally:
        tracemalloc.stop()


def test_complex_values_and_long_lines(tmp_path):
    path = tmp_path / "dense.mtx"
    path.write_text("%%MatrixMarket matrix array complex general\n2 2\n0 0\n0 1\n1 0\n\n0 0\n")
    np.testing.assert_array_equal(read_pattern(path).to_scipy().toarray(), [[0, 1], [1, 0]])
    path.write_text("%%MatrixMarket matrix array real general\n1 1\n" + " " * 2000 + "1\n")
    with pytest.raises(BadMatrixError, match="a line of more than 1024 characters"):
        read_pattern(path)


def test_many_numbers_in_a_line_are_refused_before_they_are_read(tmp_path):
    """Half a thousand numbers a line, 2**16 lines: once split into words, all of them at a time."""
    path = tmp_path / "wide.mtx.gz"
    with gzip.open(path, "wt") as file:
        file.write("%%MatrixMarket matrix array real general\n4000 4000\n" + ("0 " * 500 + "\n") * 32_000)
    tracemalloc.start()
    try:
        with pytest.raises(BadMatrixError, match="a line of 500 numbers; expected 1"):
            read_pattern(path)
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("coordinate real general\n2 2 1\n1 1 1.0 7\n", "a line of 4 numbers; expected 3"),
        ("coordinate real general\n2 2 2\n1 1 1.0\n1 2\n", "number of columns changed"),
        ("coordinate pattern general\n2 2 1\n1.5 1\n", "a place outside of a general 2 x 2 matrix"),
        ("coordinate pattern general\n2 2 1\nnan 1\n", "a place outside of a general 2 x 2 matrix"),
        ("coordinate pattern general\n2 2 1\n0 1\n", "a place outside of a general 2 x 2 matrix"),
        ("coordinate pattern symmetric\n2 3 1\n1 1\n", "a symmetric matrix of 2 x 3"),
        ("coordinate pattern general\n2 2 1\n1 1\n2 2\n", "more than 1 values"),
        ("array pattern general\n1 1\n", "array pattern general is no kind of matrix"),
        ("coordinate real general\n3 4 2\n1 1 1.0\n3 4 0\xe3", "could not convert"),
    ],
)
def test_what_a_line_may_not_say(tmp_path, text, reason):
    path = tmp_path / "wrong.mtx"
    path.write_text(f"%%MatrixMarket matrix {text}", encoding="latin-1")
    with pytest.raises(BadMatrixError, match=reason):
        read_pattern(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mtx")
    with pytest.raises(BadMatrixError, match="no plain file"):
        read_pattern(tmp_path / "pipe.mtx")


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric", "hermitian"])
def test_listed_entries_are_those_of_scipy(tmp_path, symmetry):
    A = matrices.random_symmetric(30, 0.2).tocoo()
    keep = (A.row > A.col) | ((A.row == A.col) & (symmetry != "skew-symmetric"))
    field, value = ("complex", " 1.5 -2") if symmetry == "hermitian" else ("real", " 3e-2")
    lines = [f"{i + 1} {j + 1}{value}" for i, j in zip(A.row[keep], A.col[keep], strict=True)]
    header = f"%%MatrixMarket Matrix Coordinate {field} {symmetry}\n% note\n\n30 30 {len(lines)}\n"
    (tmp_path / "listed.mtx").write_text(header + "\n".join(lines))
    expected = coloring.SparsityPattern.from_scipy(scipy.io.mmread(tmp_path / "listed.mtx"))
    found = read_pattern(tmp_path / "listed.mtx")
    assert found.nnz > 50 and (found.to_scipy() != expected.to_scipy()).nnz == 0
