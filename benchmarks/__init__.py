"""The figures: every one that the documentation shows is printed by a command of this package.

``python -m benchmarks`` runs all and writes the report; ``python -m benchmarks.NAME`` runs one part.
"""
