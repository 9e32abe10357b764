"""No index wraps: the kernels run on int8 and int16 in place of int32, as plain Python, where wrapping is an error."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import coloring
from coloring import ColoringError, SparsityPattern
from coloring.sizes import index_dtype

#: Patterns whose entries, twice their entries, or rows and columns together pass what the narrow type holds.
NARROW_RUN = """
import sys, warnings
import numpy as np
import coloring, coloring.sizes, coloring.kernels.kernel
from coloring import SparsityPattern
from tests.coloring.helpers import COLORINGS, SYMMETRIC, with_values
from benchmarks import matrices

warnings.simplefilter("error")
coloring.kernels.kernel.INTERPRETED = -1  # or warnings would be ignored, as compiled code has none
narrow = np.dtype(sys.argv[1])
limit = np.iinfo(narrow).max
wide = 0
for seed, entries in enumerate([limit // 2 + 9, limit // 2 - 3, limit - 2, limit + 9, 2 * limit][: int(sys.argv[2])]):
    n = int(np.sqrt(2.0 * entries)) + 1
    made = {
        False: matrices.random(n, n + 20, entries / (n * (n + 20.0)), seed),
        True: matrices.random_symmetric(n, (entries - n) / (n * (n - 1.0)), seed),
    }
    for name, terms in COLORINGS.items() if len(sys.argv) < 4 else [(sys.argv[3], COLORINGS[sys.argv[3]])]:
        A = with_values(made[name in SYMMETRIC], symmetric=name in SYMMETRIC)
        found = []
        for coloring.sizes.NARROW in (np.dtype("i4"), narrow):
            result = coloring.color(SparsityPattern.from_scipy(A), *terms, order=["natural", "smallest_last"])
            found.append((result.groups(), result.decompress(result.compress(A), triangle="lower")))
            if hasattr(result.problem, "graph"):
                wide += result.problem.graph.indices.dtype == np.int64
                assert result.problem.graph.indptr[-1] == result.problem.graph.indices.size
        (groups, expected), (same_groups, values) = found
        assert repr(groups) == repr(same_groups)
        assert (expected != values).nnz == 0
        block = result.plan
        block._column_entries, block._row_entries
assert wide, "nothing passed the limit"
print("done")
"""


@pytest.mark.parametrize(
    "arguments", [("int8", "5"), pytest.param(("int16", "1", "star bicoloring"), marks=pytest.mark.slow)]
)
def test_no_index_wraps(arguments):
    done = subprocess.run(
        [sys.executable, "-c", NARROW_RUN, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )
    assert done.stdout == "done\n", done.stderr


def test_the_type_of_indices():
    assert index_dtype(5, 2**31 - 1) is np.int32
    assert index_dtype(2**31, 5) is np.int64


@pytest.mark.parametrize(("partition", "message"), [
    ("column", "2147483648 columns to color; at most 2147483647 are possible"),
    ("bidirectional", "2147483649 rows and columns to color"),
])  # fmt: skip
def test_more_vertices_than_can_be_numbered_are_refused(partition, message):
    A = sp.csr_array((np.ones(1), (np.zeros(1, int), np.zeros(1, int))), shape=(1, 2**31))
    with pytest.raises(ColoringError, match=message):
        coloring.color(A, partition=partition)


def test_indices_are_integers():
    with pytest.raises(ColoringError, match="row indices of type float64; expected integers"):
        SparsityPattern.from_coo([0.5], [0], (1, 1))
