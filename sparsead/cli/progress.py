"""The stages of a preparation, shown while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from sparsead.stages import watching

MEANING = {
    "trace": "run f once on traced arrays",
    "lower": "fuse what ran into few kernels",
    "linearize": "differentiate the kernels",
    "transpose": "exchange reading and writing",
    "gradient": "differentiate the kernels backwards",
    "detect": "read the pattern off the kernels",
    "color": "choose the cheapest mode; color, if it takes passes",
    "compile": "generate code and compile it",
}


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the stages that run inside the block: a spinner while one runs, its seconds when it is done."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description:<10}"),
        TextColumn("{task.fields[meaning]:<53}", style="dim"),
        TextColumn("{task.fields[seconds]}", justify="right"),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def watcher(stage: str, seconds: float | None) -> None:
            if seconds is None:
                tasks[stage] = progress.add_task(stage, total=1, meaning=MEANING.get(stage, ""), seconds="")
            else:
                progress.update(tasks[stage], completed=1, seconds=f"{seconds:8.3f} s")

        with watching(watcher):
            yield
