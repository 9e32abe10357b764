"""The figures: every one that the documentation shows is printed by a command of this package.

``python -m benchmarks`` runs all and writes the report; ``python -m benchmarks.NAME`` runs one part.
"""

import os

for _library in ("OPENBLAS", "MKL", "OMP"):  # one core: threads that wait for their turn on it would count as work
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
