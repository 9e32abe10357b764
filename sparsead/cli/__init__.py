"""The ``sparsead`` command: one file per subcommand."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; where its libraries are missing, say in one line what to install."""
    try:
        from sparsead.cli.group import group
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(f"The sparsead command needs {error.name}: pip install 'sparsead[cli]'")
    group(prog_name="sparsead")
