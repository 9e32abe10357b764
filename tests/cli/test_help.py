"""Help fits a terminal of 80 columns, which a pipe has, too."""

import pytest
from click.testing import CliRunner

from sparsead.cli.group import COMMANDS, group


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "all")
def test_no_line_of_the_help_is_longer_than_80_columns(command):
    done = CliRunner().invoke(group, [*command, "--help"])
    assert done.exit_code == 0 and max(map(len, done.output.splitlines())) <= 80
