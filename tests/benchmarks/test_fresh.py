"""A fresh process reports its stages and its memory."""

from benchmarks.fresh import import_seconds, measured


def test_a_fresh_process_measures_itself():
    found = measured("brusselator", 4)
    assert (found["n"], found["nnz"]) == (32, 192)
    assert set(found["stages"]) >= {"trace", "lower", "detect", "compile"}
    assert 0 < found["prepare"] <= found["first"]
    assert 0 < found["matrix_gib"] < found["peak_gib"]


def test_imports_are_measured():
    assert 0 < import_seconds(runs=1) < 60
