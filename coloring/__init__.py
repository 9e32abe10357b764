"""Graph colorings for compressed sparse derivatives."""
