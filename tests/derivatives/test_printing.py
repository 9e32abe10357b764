"""Prepared objects say the same in a terminal and in a notebook."""

from collections import Counter
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import pytest

import sparsead as sad
from sparsead.extend import operation, repeat
from sparsead.stages import Timings
from sparsead.sweeps.repeated.lanes import Lanes
from sparsead.sweeps.repeated.operation import Placed

X = np.linspace(0.5, 1.5, 6)


def residual(x):
    return x[1:] * x[:-1]


def energy(x):
    return np.sum(x[1:] ** 2 * x[:-1])


def kinked(x):
    return x * x if x[0] > 0 else -x


def test_a_number_beside_arrays_is_named_as_what_it_is_by():
    jac = sad.jacobian(lambda t, y: t * y, 0.5, X)
    assert "by        the number t; argnum=1 is by y" in str(jac)
    assert "the number" not in str(sad.jacobian(lambda t, y: t * y, 0.5, X, argnum=1))
    assert "the number" not in str(sad.jacobian(lambda y, t: t * y, X, 0.5))


OBJECTS = {
    "Jacobian": lambda: sad.jacobian(residual, X),
    "compressed Jacobian": lambda: sad.jacobian(residual, X, mode="forward"),
    "Hessian": lambda: sad.hessian(energy, X),
    "Gradient": lambda: sad.gradient(energy, X),
    "LagrangianHessian": lambda: sad.lagrangian_hessian(energy, residual, X),
    "DifferenceJacobian": lambda: sad.jacobian(residual, X, method="finite-difference"),
    "Guarded": lambda: sad.jacobian(kinked, X, guard="record"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_terminal_and_notebook_say_the_same(name):
    prepared = OBJECTS[name]()
    heading, *lines = str(prepared).splitlines()
    page = ElementTree.fromstring(f"<page>{prepared._repr_html_()}</page>")
    text = "".join(page.itertext())
    assert heading in text
    for line in lines:
        named, fact = line[:12].strip(), line[12:]
        assert line[:2] == "  " and named in text and fact in text
    assert max(map(len, str(prepared).splitlines())) <= 88
    assert (page.find(".//svg") is not None) == (name != "Gradient")


@pytest.mark.parametrize("name", OBJECTS)
def test_the_short_form_is_one_line(name):
    short = repr(OBJECTS[name]())
    assert short.startswith("<") and short.endswith(">") and "\n" not in short and " object at 0x" not in short


def test_timings_are_a_table():
    html = Timings(trace=0.25, compile=1.5)._repr_html_()
    cells = [cell.text for cell in ElementTree.fromstring(html).iter("td")]
    assert cells == ["trace", "250.0", "compile", "1,500.0", "all", "1,750.0"]


def test_checks_are_a_table():
    report = sad.check(sad.jacobian(residual, X), X)
    page = ElementTree.fromstring(f"<page>{report._repr_html_()}</page>")
    rows = [[cell.text for cell in row.iter("td")] for row in page.iter("tr")][1:]
    assert [row[1] for row in rows] == [c.name for c in report.comparisons]
    assert {row[0] for row in rows} == {"ok"}


def passes_through(jac):
    """Count the products by which the entries of loops and calls are found, while a Jacobian is computed."""
    counts = Counter()
    original = Placed.value

    def value(self, operands, out):
        counts[self.name] += 1
        return original(self, operands, out)

    filled = Lanes.fill

    def fill(self, operands, out):
        counts["lanes"] += sum(np.unique(seeds % self.beside.width).size for seeds, _, _ in self.blocks)
        return filled(self, operands, out)

    with mock.patch.object(Placed, "value", value), mock.patch.object(Lanes, "fill", fill):
        jac(X)
    return sum(counts.values())


@pytest.mark.parametrize(
    ("step", "passes"), [(lambda s: np.sin(s) * np.roll(s, 1), X.size), (lambda s: np.sin(s) * 1.5, 1)]
)
def test_passes_through_a_loop_are_told(step, passes):
    jac = sad.jacobian(lambda x: 2.0 * repeat(step, x, 30), X)
    text = " ".join(str(jac).split())
    assert f"repeat of <lambda>, 30 times: {passes} JVP passes through it" in text
    assert "no passes but those of calls" in text
    assert passes_through(jac) == passes


def test_calls_of_jvp_are_told():
    count = 0

    def jvp(primals, tangents):
        nonlocal count
        count += 1
        return 2.0 * np.cumsum(primals[0]) * np.cumsum(tangents[0])

    square = operation(lambda v: np.cumsum(v) ** 2, jvp=jvp, pattern="dense", name="squared")
    jac = sad.jacobian(lambda x: square(x), X, check=False)
    count = 0
    jac(X)
    assert f"squared: {count} JVP passes through it" in " ".join(str(jac).split())
    assert count == X.size


def test_without_calls_nothing_is_told_of_them():
    assert "calls" not in str(sad.jacobian(residual, X))
