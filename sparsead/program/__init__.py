"""The array program that a trace records, and the scalar language of its operations."""
