"""What the program can say, as its source has it: every line at info and above with its actions. Nothing is run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tinyforge
from tinyforge.domain.dispatch import DispatchOutcome

SOURCE = Path(tinyforge.__file__).parent
Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error", "critical": "critical", "log": "any"}
"""The methods of a logger that say something at info or above; the level of `log` is known only when it is called."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One call of a logger. `actions` are those that its line may have; none, if nobody can tell."""

    place: str
    level: str
    actions: frozenset[str]


def sayings() -> list[Saying]:
    """Return every call of a logger in the program."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}
    given = [call for tree in trees.values() for call in ast.walk(tree) if isinstance(call, ast.Call)]
    return [saying for path, tree in trees.items() for saying in _sayings_in(tree, str(path.relative_to(SOURCE)), given)]


def _sayings_in(tree: ast.Module, path: str, given: list[ast.Call]) -> Iterator[Saying]:
    for around in ast.walk(tree):
        if isinstance(around, Scope):
            for call in _own_calls(around):
                if level := _level(call):
                    yield Saying(f"{path}:{call.lineno}", level, frozenset(_actions(call, around, given)))


def _level(call: ast.Call) -> str:
    """Return the level at which a call says something; empty if it does not."""
    method = call.func
    if isinstance(method, ast.Attribute) and isinstance(method.value, ast.Name) and method.value.id == "logger":
        return LEVELS.get(method.attr, "")
    return ""


def _own_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in a function, and none of the functions within it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, Scope):
            yield from _own_calls(child)


def _actions(call: ast.Call, around: Scope, given: list[ast.Call]) -> Iterator[str]:
    extra = _argument(call, "extra")
    if isinstance(extra, ast.Name):
        extra = next((it.value for it in ast.walk(around) if isinstance(it, ast.Assign) and _names(it) == [extra.id]), None)
    if isinstance(extra, ast.Dict):
        for key, value in zip(extra.keys, extra.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "action":
                yield from _values(value, around, given)


def _values(value: ast.expr, around: Scope, given: list[ast.Call]) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(action)):
            yield action
        case ast.JoinedStr(values=[ast.Constant(value=str(begin)), ast.FormattedValue(value=ast.Attribute(attr="outcome"))]):
            yield from (f"{begin}{outcome}" for outcome in DispatchOutcome)
        case ast.Name(id=name):  # an argument of the function around it: whatever its callers pass
            calls = [it for it in given if isinstance(it.func, ast.Name) and it.func.id == getattr(around, "name", "")]
            passed = [_argument(call, name) for call in calls]
            yield from (str(it.value) if isinstance(it, ast.Constant) else "not a constant" for it in passed)
        case _:
            pass


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _names(assignment: ast.Assign) -> list[str]:
    return [target.id for target in assignment.targets if isinstance(target, ast.Name)]
