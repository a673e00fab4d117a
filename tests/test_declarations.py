import importlib
import inspect
import py_compile
import sys

import pytest

from zoo_eval.declarations import Declared, declarations, itself
from zoo_eval.errors import InputError
from zoo_eval.quantities import GIVENS, QUANTITIES, Quantity, quantity, resolver
from zoo_eval.scores import POOL_SCORES, SCORES

SAID = (
    *("name", "group", "unit", "higher_is_better", "bounds", "weights", "cost", "version"),
    *("needs", "options", "parts", "summary", "references", "__module__", "__doc__"),
)


@pytest.mark.parametrize("name", sorted({**SCORES, **POOL_SCORES}))
def test_what_is_read_is_what_an_import_gives(name):
    read = {**SCORES, **POOL_SCORES}[name]
    imported = getattr(importlib.import_module(read.__module__), name)
    for said in SAID:
        assert getattr(read, said, None) == getattr(imported, said, None), said
    assert itself(read.function) is imported.function


def test_quantities_too_and_each_becomes_what_is_defined():
    for name, known in list(QUANTITIES.items()):
        defined = itself(known.function)
        assert not isinstance(defined, Declared)
        assert (known.name, QUANTITIES[name].function) == (name, defined)
        assert inspect.getdoc(known.function) == inspect.getdoc(defined)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that nobody has imported, and gives its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str, name: str = "module_of_a_test") -> str:
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        return name

    yield write
    sys.modules.pop("module_of_a_test", None)


HEAVY = "raise ImportError('this module was imported')\n"


@pytest.mark.parametrize(
    "text",
    [
        "from zoo_eval.scores import score\n@score(unit='x', higher_is_better=None)\n",
        "from zoo_eval import scores\n@scores.score(unit='x', higher_is_better=None)\n",
        "from math import inf, pi\nfrom nowhere import heavy\nfrom zoo_eval.scores import score\n"
        "LOW: float = -pi\nHIGH = inf\nBOUNDS = (LOW, HIGH)\n"
        "@score(unit='x', higher_is_better=None, bounds=BOUNDS)\n",
    ],
)
def test_a_module_is_read_without_what_it_imports(module, text):
    body = f"    'Doc.'\n{HEAVY}"
    name = module(f"{text}def f(a: heavy.A, b, *, c: heavy.C = 3) -> heavy.F:\n{body}")
    found = declarations(name, ("score",)).f
    assert (found.needs, found.options, found.summary) == (("a", "b"), {"c": 3}, "Doc.")
    assert name not in sys.modules


@pytest.mark.parametrize(
    "text",
    [
        "from zoo_eval.scores import score as mark\n@mark(unit='x', higher_is_better=None)\n",
        "from zoo_eval.scores import score\nmark = score(unit='x', higher_is_better=None)\n@mark\n",
        "from zoo_eval.scores import score\ndef low():\n    return 0.0\n"
        "@score(unit='x', higher_is_better=None, bounds=(low(), 1.0))\n",
    ],
)
def test_what_cannot_be_told_by_reading_is_imported(module, text):
    name = module(f"{text}def f(a):\n    return 2.0\n")
    assert declarations(name, ("score",)) is sys.modules[name]
    assert sys.modules[name].f.needs == ("a",)


def test_a_module_without_its_source_is_imported(module, tmp_path):
    name = module(
        "from zoo_eval.scores import score\n@score(unit='x', higher_is_better=None)\ndef f(a): 0\n"
    )
    source = tmp_path / f"{name}.py"
    py_compile.compile(source, cfile=tmp_path / f"{name}.pyc")
    source.unlink()
    importlib.invalidate_caches()
    assert declarations(name, ("score",)) is sys.modules[name]


def test_a_file_that_is_not_python_is_named_with_the_line(module):
    name = module("from zoo_eval.scores import score\n\ndef f(:\n")
    with pytest.raises(InputError, match=r"module_of_a_test\.py, line 3: invalid syntax"):
        declarations(name, ("score",))


def test_a_call_imports_and_its_time_does_not_count(module, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(resolver.time, "perf_counter", lambda: clock[0])
    name = module(
        "from tests.test_declarations import CLOCKS\nfrom zoo_eval.quantities import quantity\n"
        "CLOCKS[-1][0] += 100\n"
        "@quantity\ndef quantity_of_a_test(labels):\n"
        "    CLOCKS[-1][0] += 1\n    return labels + 1\n"
    )
    CLOCKS.append(clock)
    try:
        declarations(name, ("quantity",))
        declared = QUANTITIES["quantity_of_a_test"]
        assert resolver.timed(declared.function, [1], {}) == (2, 1.0)
        assert clock == [101.0]
        assert QUANTITIES["quantity_of_a_test"].function is sys.modules[name].quantity_of_a_test
        assert declared.function(3) == 4
    finally:
        CLOCKS.pop()
        del QUANTITIES["quantity_of_a_test"]


CLOCKS: list[list[float]] = []  # of the test above, where its module finds them


def test_a_quantity_of_that_name_in_another_module(monkeypatch):
    def elsewhere(labels):
        return labels

    elsewhere.__module__ = "somebody.else"
    monkeypatch.setitem(QUANTITIES, "mine", Quantity("mine", ("labels",), elsewhere))

    def mine(labels):
        return labels

    with pytest.raises(InputError, match="There are two quantities called 'mine'"):
        quantity(mine)
    mine.__name__ = next(iter(GIVENS))
    with pytest.raises(InputError, match="There are two quantities called 'model'"):
        quantity(mine)
