"""What the README promises: a short example, and two commands that the Makefile has."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_example_is_short():
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 15


def test_the_two_commands_are_in_the_makefile():
    (commands,) = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    targets = [line.split()[1] for line in commands.splitlines()]
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}: \.venv/ready", makefile, re.MULTILINE) for target in targets)


def test_what_ci_makes_is_in_the_makefile():
    commands = re.findall(r"^make (.*)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    targets = {target for command in commands for target in command.split() if target.isalpha()}
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"test", "docs"} <= targets <= made
