"""The blocks of the page on CUDA devices, on the stand-in for CuPy, at small sizes."""

import re

import numpy as np
import pytest

from tests.derivatives import fake_cupy
from tests.docs.test_docs import BLOCK, ROOT
from tests.emit.grid_on_cpu import COMPILER


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_the_blocks_run(monkeypatch):
    cupy, names = fake_cupy.installed(monkeypatch), {}
    blocks = [block["code"] for block in BLOCK.finditer((ROOT / "docs/how-to/gpu.md").read_text())]
    for code in blocks:
        exec(re.sub(r"\b1(_000)*_000\b", "150", code), names)
    assert len(blocks) == 3
    x, J = names["x"], names["J"]
    np.testing.assert_array_equal(J.data, names["jac"].prepared.values(x.get(), 1.0))
    assert names["values"].shape == (names["kinetics"].pattern.nnz, 100_000) and isinstance(x, cupy.ndarray)
