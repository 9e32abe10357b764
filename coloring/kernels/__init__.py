"""Kernels on plain arrays: what numba compiles, once that pays (see `kernel`).

Every kernel takes arrays that its caller has converted (int32 indices, C order), so that one specialisation is
compiled and cached on disk.  All modules are imported at once, which takes milliseconds: a process that is forked while
another thread imports one of them would wait for it for ever.
"""

from . import (
    acyclic,
    backtracking,
    bits,
    cliques,
    covers,
    distance1,
    distance2,
    equitable,
    graphs,
    intersection,
    jones_plassmann,
    kernel,
    lexbfs,
    neighbors,
    orders,
    orientation,
    patterns,
    plans,
    recovery,
    saturation,
    speculation,
    star,
)

__all__ = [
    "acyclic", "backtracking", "bits", "cliques", "covers", "distance1", "distance2", "equitable", "graphs",
    "intersection", "jones_plassmann", "kernel", "lexbfs", "neighbors", "orders", "orientation", "patterns", "plans",
    "recovery", "saturation", "speculation", "star",
]  # fmt: skip
