"""A long sequence of calls as data: what a function that runs hundreds of equal steps does is read from a table.

Code that calls one procedure after another, each with its own arrays, grows with the number of calls, and so does the
time it takes to compile. Written as whole numbers (which procedure, which arrays), it is a loop over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FEW = 16  # calls that are written as code

Calls = Sequence[tuple[str, Sequence[str]]]  # the function that is called, and the arrays that it is given


def entry(name: str, calls: Calls, place: Mapping[str, int]) -> str:
    """Return an LLVM function of the table of array pointers that makes calls.

    Parameters
    ----------
    name : str
        Its name.
    calls : sequence of (str, sequence of str)
        Functions of pointers to arrays, and what they are called with.
    place : mapping
        Where in the table the pointer to an array is.
    """
    return _as_code(name, calls, place) if len(calls) <= FEW else _as_data(name, calls, place)


def _as_code(name: str, calls: Calls, place: Mapping[str, int]) -> str:
    lines = []
    for number, (function, arrays) in enumerate(calls):
        values = []
        for k, array in enumerate(arrays):
            values.append(f"ptr %a{number}.{k}")
            lines.append(f"  %p{number}.{k} = getelementptr ptr, ptr %table, i64 {place[array]}")
            lines.append(f"  %a{number}.{k} = load ptr, ptr %p{number}.{k}")
        lines.append(f"  call void @{function}({', '.join(values)})")
    return "\n".join([f"define void @{name}(ptr %table) nounwind {{", *lines, "  ret void", "}"])


def _as_data(name: str, calls: Calls, place: Mapping[str, int]) -> str:
    """Write the places of all arrays one after the other, and a loop that calls function by function."""
    functions = {function: len(arrays) for function, arrays in calls}
    number = {function: k for k, function in enumerate(functions)}
    words = [str(w) for function, arrays in calls for w in (number[function], *(place[a] for a in arrays))]
    pointers = ", ".join(f"ptr @{name}.{number[f]}" for f in functions)
    return "\n".join(
        [
            *(_unpacked(f"{name}.{number[f]}", f, count) for f, count in functions.items()),
            f"@{name}.functions = internal constant [{len(functions)} x ptr] [{pointers}]",
            f"@{name}.words = internal constant [{len(words)} x i32] [{', '.join(f'i32 {w}' for w in words)}]",
            f"define void @{name}(ptr %table) nounwind {{",
            "entry:",
            "  br label %head",
            "head:",
            "  %at = phi i64 [ 0, %entry ], [ %next, %body ]",
            f"  %more = icmp slt i64 %at, {len(words)}",
            "  br i1 %more, label %body, label %done",
            "body:",
            f"  %word = getelementptr i32, ptr @{name}.words, i64 %at",
            "  %narrow = load i32, ptr %word",
            "  %which = sext i32 %narrow to i64",
            f"  %function.at = getelementptr ptr, ptr @{name}.functions, i64 %which",
            "  %function = load ptr, ptr %function.at",
            "  %used = call i64 %function(ptr %table, ptr %word)",
            "  %next = add i64 %at, %used",
            "  br label %head",
            "done:",
            "  ret void",
            "}",
        ]
    )


def _unpacked(name: str, function: str, count: int) -> str:
    """Return a function of the table and of the words of a call that makes the call; it returns how many words."""
    lines = []
    for k in range(count):
        lines += [
            f"  %w{k} = getelementptr i32, ptr %word, i64 {k + 1}",
            f"  %n{k} = load i32, ptr %w{k}",
            f"  %i{k} = sext i32 %n{k} to i64",
            f"  %p{k} = getelementptr ptr, ptr %table, i64 %i{k}",
            f"  %a{k} = load ptr, ptr %p{k}",
        ]
    arguments = ", ".join(f"ptr %a{k}" for k in range(count))
    head = f"define internal i64 @{name}(ptr %table, ptr %word) nounwind {{"
    return "\n".join([head, *lines, f"  call void @{function}({arguments})", f"  ret i64 {count + 1}", "}"])
