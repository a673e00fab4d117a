"""Reads what a module declares, without importing what it computes with.

Every command needs the list of scores, and few need torch: importing all modules of scores and
quantities takes seconds and 300 MB, most of all in the process that only hands out work. So of
each module only the declarations are run: its functions under the decorators that register them,
without bodies and annotations, and the imports and assignments that decorators and defaults name.
The decorators then find the names, needs, options and docstrings that an import would show them.
At its first call such a function imports its module and becomes what is defined there.

No list can get out of date: each file is read when the program starts. What cannot be told by
reading (a decorator that is not called by its name, say) is imported.
"""

import ast
import functools
import importlib
import importlib.util
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from zoo_eval.errors import InputError


class Declared:
    """A function of which only signature and docstring are known, until it is called."""

    __module__: str
    __name__: str

    def __init__(self, declaration: Callable[..., Any]) -> None:
        functools.update_wrapper(self, declaration)

    def __call__(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # as it defines
        """Call the function itself."""
        return self.itself(*arguments, **options)

    @functools.cached_property
    def itself(self) -> Callable[..., Any]:
        """The function, its module imported."""
        found = getattr(importlib.import_module(self.__module__), self.__name__)
        return getattr(found, "function", found)  # a score is an object that has it


def itself(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as it is defined; imports its module now, if it is only declared."""
    return function.itself if isinstance(function, Declared) else function


def declarations(name: str, registering: Collection[str]) -> ModuleType:
    """A module's declarations, or the module itself where they cannot be told by reading.

    Args:
        name: Of the module.
        registering: Names of the decorators, and of whatever else registers.

    Raises:
        InputError: the file is not Python.
    """
    spec = importlib.util.find_spec(name)
    path = Path(spec.origin) if spec is not None and spec.origin is not None else Path()
    if path.suffix != ".py" or not path.is_file():  # installed without its source
        return importlib.import_module(name)
    module = ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    source = path.read_bytes()
    if not any(word.encode() in source for word in registering):
        return module
    try:
        tree = ast.parse(source, path)
    except SyntaxError as error:
        raise InputError(
            f"{path}, line {error.lineno}: {error.msg}. Every file there is read for what it "
            "declares; correct it, or move it away."
        ) from error
    reduced = _reduced(tree, registering)
    if reduced is None:
        return importlib.import_module(name)
    module.__dict__["__declared__"] = Declared
    exec(compile(ast.Module(reduced, []), path, "exec"), module.__dict__)
    return module


def _reduced(tree: ast.Module, registering: Collection[str]) -> list[ast.stmt] | None:
    """The declarations and what they name; None if something else registers or is named."""
    declaring = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(_called(decorator) in registering for decorator in node.decorator_list)
    ]
    evaluated = {name for node in declaring for name in _evaluated(node)}
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and part.id in registering and part not in evaluated:
            return None
        if isinstance(part, ast.alias) and part.name in registering and part.asname:
            return None
    wanted = {name.id for name in evaluated}
    kept: list[ast.stmt] = []
    for node in reversed(tree.body):  # what a statement names stands above it
        if isinstance(node, ast.FunctionDef) and node in declaring:
            kept.append(_without_body(node))
        elif bound := _bound(node) & {*wanted, "*"}:
            if not isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)):
                return None
            kept.append(_only(node, bound))
            wanted |= {name.id for name in _names(node)}
    return kept[::-1]


def _called(decorator: ast.expr) -> str:
    """`score` of `@score`, `@score(…)` and `@scores.score(…)`."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).rpartition(".")[2]


def _evaluated(function: ast.FunctionDef) -> list[ast.Name]:
    """Names that Python looks up where a function is defined, annotations apart."""
    parts = (*function.decorator_list, *function.args.defaults, *function.args.kw_defaults)
    return [name for part in parts if part is not None for name in _names(part)]


def _names(node: ast.AST) -> list[ast.Name]:
    return [name for name in ast.walk(node) if isinstance(name, ast.Name)]


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement gives a meaning to."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    aliases = (alias for part in ast.walk(node) for alias in getattr(part, "names", ()))
    imported = {_bound_by(alias) for alias in aliases if isinstance(alias, ast.alias)}
    return imported | {name.id for name in _names(node) if isinstance(name.ctx, ast.Store)}


def _bound_by(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _only(node: ast.stmt, bound: Collection[str]) -> ast.stmt:
    """An import without the names that nobody wants here; any other statement as it is."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        node.names = [alias for alias in node.names if _bound_by(alias) in bound]
    return node


def _without_body(function: ast.FunctionDef) -> ast.stmt:
    """Signature and docstring, made a `Declared` before any other decorator sees it."""
    every = function.args
    for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg):
        if argument is not None:
            argument.annotation = None
    function.returns = None
    documented = ast.get_docstring(function) is not None
    function.body = [function.body[0] if documented else ast.Pass()]
    function.decorator_list.append(ast.Name("__declared__", ast.Load()))
    return ast.fix_missing_locations(function)
