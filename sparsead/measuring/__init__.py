"""Counts and times, for the command and the benchmarks."""
