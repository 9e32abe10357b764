"""What NetworkX is told about the backend when it is imported: kept free of other imports."""

from typing import Any


def get_info() -> dict[str, Any]:
    """Return the description of the backend."""
    return {
        "backend_name": "coloring",
        "project": "coloring",
        "package": "coloring",
        "short_summary": "Greedy colorings at compiled speed, with the colors that NetworkX gives.",
        "functions": {
            "greedy_color": {
                "additional_docs": (
                    "Undirected simple graphs; the strategies largest_first, smallest_last, independent_set, "
                    "connected_sequential (bfs, dfs) and saturation_largest_first (DSATUR), without interchange."
                ),
            }
        },
        "default_config": {},
    }
