"""Why a target is missed, or why something else is faster: shown in the report only where that is so.

The key is the claim of a target or the name of a problem. Each sentence is one that a measurement bears out.
"""

REASONS: dict[str, str] = {}
