"""Importing the package is cheap: numba, networkx and matplotlib come when they are used."""

import subprocess
import sys

import pytest

import coloring


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import coloring; [getattr(coloring, name) for name in coloring.__all__]",
            {"numba", "networkx", "matplotlib"},
        ),
        ("import coloring; import coloring.networks.backend_info", {"numpy", "scipy", "numba", "networkx"}),
        (
            "import coloring, numpy as np; coloring.color(np.eye(99)).decompress(np.ones((99, 1)))",
            {"numba", "networkx", "matplotlib"},
        ),
    ],
)
def test_what_is_not_needed_is_not_imported(code, absent):
    loaded = run(f"{code}; import sys; print(*sys.modules)")
    assert not absent & {name.split(".")[0] for name in loaded}


def test_the_public_names_are_all_there():
    assert set(coloring.__all__) <= set(dir(coloring))
    assert all(getattr(coloring, name) is not None for name in coloring.__all__)
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        coloring.colour  # noqa: B018 - the access is the test


def test_networkx_finds_the_backend():
    info = run("import networkx as nx; print('coloring' in nx.config.backends, 'coloring' in nx.config.backends)")
    assert info == ["True", "True"]
