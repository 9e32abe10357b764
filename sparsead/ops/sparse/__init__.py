"""Sparse matrices of unknowns: rows and columns are known while tracing, values are traced."""

from sparsead.ops.sparse import building, functions, iterative, matrix, operands, solves

__all__ = ["building", "functions", "iterative", "matrix", "operands", "solves"]
