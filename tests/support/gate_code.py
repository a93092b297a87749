"""The gate's code as a whole, so that it can be loaded a second time with one thing in it wrong, in memory only."""

from __future__ import annotations

import ast
import copy
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from cadencia import compliance

#: The modules, each after those it imports.
ORDER = ("calendar", "hours", "counting", "stack", "rules", "gate", "judge", "reach")
_PACKAGE = "cadencia.compliance"
_FOLDER = Path(compliance.__file__).parent


@dataclass(frozen=True)
class Code:
    """The gate's modules that belong together."""

    calendar: Any
    hours: Any
    counting: Any
    stack: Any
    rules: Any
    gate: Any
    judge: Any
    reach: Any


def real() -> Code:
    """The program's own."""
    return Code(**{name: importlib.import_module(f"{_PACKAGE}.{name}") for name in ORDER})


@cache
def source(name: str) -> ast.Module:
    """A module of the gate, parsed."""
    return ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))


@cache
def _leans_on(name: str) -> frozenset[str]:
    """The gate's modules that it imports."""
    imported = {node.module for node in ast.walk(source(name)) if isinstance(node, ast.ImportFrom)}
    return frozenset(each for each in ORDER if f"{_PACKAGE}.{each}" in imported)


@cache
def _compiled(name: str) -> types.CodeType:
    return compile(source(name), name, "exec")


def load(name: str, changed: ast.Module) -> Code:
    """A copy of the gate whose module of that name is another. Raises what its code raises."""
    real()  # all of them are loaded
    before = {f"{_PACKAGE}.{n}": sys.modules[f"{_PACKAGE}.{n}"] for n in ORDER}
    made: dict[str, Any] = {}
    other = {name}
    try:
        for each in ORDER:
            full = f"{_PACKAGE}.{each}"
            if each != name and other.isdisjoint(_leans_on(each)):
                made[each] = before[full]  # it imports nothing that changed
                continue
            other.add(each)
            module = types.ModuleType(full)
            sys.modules[full] = module
            code = compile(changed, each, "exec") if each == name else _compiled(each)
            exec(code, module.__dict__)  # noqa: S102  our own code, changed by us
            made[each] = module
    finally:
        sys.modules.update(before)
    return Code(**made)


_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_Change = Callable[[Any], None]


def mutations(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """A module with one small thing wrong, again and again: a comparison, a number, `and`, `not`, an early end.

    It is one copy, changed and mended in between: a tree holds until the next is asked for. The name says where: the
    function, the line within the function as it stands, and what became of it.
    """
    changed = copy.deepcopy(tree)
    for where, node in _places(changed):
        for what, change in _changes(node):
            sound = {name: list(value) if isinstance(value, list) else value for name, value in vars(node).items()}
            before = _told(node)
            change(node)
            told = f"{before} -> {_told(node)}" if what == "" else f"{before}: {what}"
            ast.fix_missing_locations(node)
            yield f"{where}: {told}", changed
            vars(node).update(sound)


def _told(node: ast.AST) -> str:
    if isinstance(node, ast.FunctionDef):
        return "it"
    return " ".join(ast.unparse(node).split())


def _places(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []

    def walk(node: ast.AST, where: str) -> None:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or _is_text(child):
                    continue
                inner = where
                if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                    inner = f"{where}.{child.name}" if where else child.name
                found.append((inner, child))
                walk(child, inner)

    walk(tree, "")
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put_op(node: ast.Compare, place: int, op: type[ast.cmpop]) -> None:
    node.ops[place] = op()


def _changes(node: ast.AST) -> Iterator[tuple[str, _Change]]:
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            if type(op) in _COMPARE:
                yield "", partial(_put_op, place=place, op=_COMPARE[type(op)])
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "turned", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for by in (-1, 1):
            yield f"{by:+}", lambda n, by=by: setattr(n, "value", n.value + by)
    elif isinstance(node, ast.BoolOp):
        yield "", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield (
            "without not",
            lambda n: (
                setattr(n, "op", ast.Not()),
                setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand)),
            ),
        )
    elif isinstance(node, ast.FunctionDef):
        yield "returns None", lambda n: n.body.insert(0, ast.Return(ast.Constant(None)))
