"""The stages of a preparation, shown while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from sparsead.stages import MEANING, watching


class SecondsColumn(ProgressColumn):
    """Seconds of a stage: how long it runs already, then how long it took."""

    def render(self, task: Task) -> Text:
        """Return the text for one stage."""
        seconds = task.fields["seconds"]
        return Text(f"{task.elapsed or 0.0:6.0f} s ..." if seconds is None else f"{seconds:8.3f} s")


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show the stages that run inside the block: a spinner while one runs, its seconds when it is done."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description:<10}"),
        TextColumn("{task.fields[meaning]:<53}", style="dim"),
        SecondsColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def watcher(stage: str, seconds: float | None) -> None:
            if seconds is None:
                tasks[stage] = progress.add_task(stage, total=1, meaning=MEANING.get(stage, ""), seconds=None)
            else:
                progress.update(tasks[stage], completed=1, seconds=seconds)

        with watching(watcher):
            yield
