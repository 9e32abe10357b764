"""What differs from NumPy for a reason: parts of the event's text and of the message, and the reason."""

from __future__ import annotations

from collections.abc import Mapping

ACCEPTED: list[tuple[str, str, str, str]] = [
    # result, part of the event, part of the message, reason
    ("different", "empty", "", "what new memory holds is not defined"),
    ("different", "mode='empty'", "", "what new memory holds is not defined"),
    ("different", "'empty'", "", "what new memory holds is not defined"),
    ("different", "partition(", "", "the order within parts is not defined; results that depend on it are refused"),
    ("different", "overwrite_input", "arguments", "the input is not defined afterwards"),
    ("different", "broadcast_arrays", "after writing", "NumPy warns that such results will be read-only"),
    ("different", "out=Ellipsis", "array f ()", "NumPy does not tell that an array is wanted"),
    ("different", "astype(", "[inf inf", "numbers stay float64: no overflow at 3e38"),
    ("crash", "list(list(list(list(list(list(list(list(", "", "lists in lists, 64 deep"),
    ("different", "cho_factor(", "result: NumPy: [", "what stands beside the factor is not defined"),
    ("different", "qmc_quad(", "", "it draws numbers at random"),
    ("different", "apply_along_axis(_cdf_1d", "", "it draws numbers at random"),
    ("different", "fftpack.fft(A0) of [(64,)]", "e-16", "rounding of sums in which all cancels"),
    ("different", "_tophat(", "arguments", "bits of truth values in memory of floats mean nothing"),
    ("different", "polydiv(", "(1,)", "zeros that come from values are not cut off: what is left may be longer"),
    (
        "different",
        "solveh_banded(",
        "in order",
        "LAPACK's order is F; on other numbers it is not asked, they must be positive",
    ),
    *(
        (
            "different",
            f"scipy.signal.{name}(",
            "after writing: NumPy: [5.",
            "a package has copies of known arrays, not them",
        )
        for name in ("impulse", "step", "freqs", "freqs_zpk")
    ),
    ("crash", "", "TypeError: output must be an array", "an ndarray's method with out=: NumPy's own error"),
    ("accepted", "concat", "only takes `out` or `dtype`", "the two agree"),
    ("accepted", "", "LinAlgError: Singular matrix", "what is singular shows in values: inf or nan"),
    ("accepted", "", "MemoryError", "no memory is needed while tracing"),
]


def reason_of(outcome: Mapping[str, str]) -> str:
    """Return why an outcome is accepted, or nothing."""
    for result, event, message, reason in ACCEPTED:
        if outcome["result"] == result and event in outcome["event"] and message in outcome["message"]:
            return reason
    return ""
