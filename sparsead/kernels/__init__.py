"""The kernel form: gather, scalar expression, scatter-add over a grid of points."""
