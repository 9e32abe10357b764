"""``python -m sparsead`` is the command ``sparsead``."""

from sparsead.cli import main

main()
