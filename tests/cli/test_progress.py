"""Stages are shown on the command line, and nowhere else."""

import io

import numpy as np
import pytest
from rich.console import Console

import sparsead as sad
from sparsead.cli.progress import MEANING, shown
from sparsead.stages import watching

STAGES = ["trace", "lower", "linearize", "detect", "color", "compile", "check"]


def prepare():
    return sad.jacobian(lambda x: x[1:] * x[:-1], np.ones(5), backend="python")


@pytest.fixture(autouse=True, scope="module")
def loaded():
    """The first preparation in a process tells of imports, too."""
    prepare()


def test_every_stage_is_shown_with_its_meaning():
    written = io.StringIO()
    with shown(Console(file=written, width=120)):
        jac = prepare()
    lines = written.getvalue().strip().splitlines()
    assert [line.split()[1] for line in lines] == STAGES == list(jac.timings)
    assert all(MEANING[stage] in line and line.endswith(" s") for stage, line in zip(STAGES, lines, strict=True))


def test_the_library_is_silent(capfd):
    prepare()
    assert capfd.readouterr() == ("", "")


def test_watchers_are_told_begin_and_end():
    told = []
    with watching(lambda stage, seconds: told.append((stage, seconds))):
        jac = prepare()
    prepare()
    assert told == [(stage, s) for stage in STAGES for s in (None, jac.timings[stage])]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("at_end", [False, True])
def test_a_watcher_can_stop_a_preparation(stage, at_end):
    """What Ctrl-C does there; the next preparation is as if nothing had been."""

    def stop(now, seconds):
        if now == stage and (seconds is not None) == at_end:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watching(stop):
        prepare()
    np.testing.assert_array_equal(prepare()(np.arange(5.0)).data, [1, 0, 2, 1, 3, 2, 4, 3])


def test_an_interrupted_display_leaves_the_console_usable():
    written = io.StringIO()
    console = Console(file=written, width=120)
    with pytest.raises(KeyboardInterrupt), shown(console), watching(_interrupt):
        prepare()
    console.print("after")
    assert written.getvalue().endswith("after\n")


def _interrupt(stage, seconds):
    raise KeyboardInterrupt
