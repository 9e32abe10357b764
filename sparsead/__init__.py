"""Sparse Jacobians and Hessians of plain NumPy code."""
