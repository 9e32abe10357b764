"""Sparsity patterns, read off the linear kernels that the sweeps run."""
