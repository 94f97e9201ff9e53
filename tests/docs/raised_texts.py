"""Whether the texts of errors, blocks and notes are texts of the source. No I/O.

A text that is built from something else cannot be listed, so an editor never sees it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

# Calls that take texts and make no exception, and which of their arguments are the texts.
_TEXTS_OF = {
    "Diagnostic": (1, 2),
    "Block": (1, 2),
    "Note": (1,),
    "Problem": (1,),
    # Methods that make a Diagnostic of their arguments.
    "draft.problem": (2, 3),
    "self.problem": (1, 2),
    "self.error": (1, 2),
}
_KEYWORDS = frozenset({"message", "hint", "reason"})
_BUILT_IN = frozenset({"ValueError", "OSError"})
# It takes diagnostics, whose texts are looked at where they are made.
_OF_DIAGNOSTICS = "InputError"


def exceptions(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of the exceptions that the package defines or raises with a text."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = _BUILT_IN | {"Exception"}
    while more := {name for name in bases if bases[name] & found} - found:
        found |= more
    return found - {"Exception", _OF_DIAGNOSTICS}


def unseen(tree: ast.Module, errors: frozenset[str]) -> list[str]:
    """The texts in a module that are not in its source, as `Error(expression)`."""
    module = _Module(tree)
    return [
        f"{name}({ast.unparse(text)})"
        for name, text in _texts(tree, errors)
        if not module.is_seen(text)
    ]


def _texts(tree: ast.Module, errors: frozenset[str]) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        if name in errors:
            positions: Iterable[int] = range(len(node.args))
        elif called in _TEXTS_OF:
            positions = _TEXTS_OF[called]
        else:
            continue
        yield from ((name, node.args[i]) for i in positions if i < len(node.args))
        yield from ((name, word.value) for word in node.keywords if word.arg in _KEYWORDS)


class _Module:
    """The names of a module and what they are bound to."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._above = {
            below: node for node in ast.walk(tree) for below in ast.iter_child_nodes(node)
        }
        self._functions = {
            node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        }
        self._imported = {
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        }
        self._seen: dict[ast.expr, bool] = {}

    def is_seen(self, node: ast.expr) -> bool:
        """Whether every text that the expression can give stands in the source."""
        if node not in self._seen:
            self._seen[node] = True  # where a name is bound to itself and a text
            self._seen[node] = self._judge(node)
        return self._seen[node]

    def _judge(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant() | ast.JoinedStr():
                return True
            case ast.BinOp(left=left, right=right):
                return self.is_seen(left) and self.is_seen(right)
            case ast.IfExp(body=body, orelse=other):
                return self.is_seen(body) and self.is_seen(other)
            case ast.BoolOp(values=values) | ast.Tuple(elts=values):
                return all(map(self.is_seen, values))
            case ast.Starred(value=value):
                return self.is_seen(value)
            case ast.Name(id=name):
                return self._is_seen_name(name, node)
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                return all(map(self.is_seen, _returned(self._functions[name])))
            case ast.Attribute(attr=name):
                # The message of another error, or the constant of another module.
                return name in ("message", "hint") or name.isupper()
        return False

    def _is_seen_name(self, name: str, node: ast.expr) -> bool:
        if name.isupper() and name in self._imported:
            return True
        scope = self._above[node]
        while not isinstance(scope, ast.Module):
            if isinstance(scope, ast.FunctionDef):
                names = [argument.arg for argument in scope.args.args]
                bound = list(_bound(scope, name))
                if name in names:
                    return self._is_seen_parameter(scope, names.index(name), bound)
                if bound:
                    return all(map(self.is_seen, bound))
            scope = self._above[scope]
        bound = list(_bound(scope, name))
        return bool(bound) and all(map(self.is_seen, bound))

    def _is_seen_parameter(
        self, function: ast.FunctionDef, position: int, bound: list[ast.expr]
    ) -> bool:
        """Whether every call gives a text of the source. The calls of methods are not known."""
        name = function.args.args[position].arg
        if not isinstance(self._above[function], ast.Module):
            return any(called.endswith(f".{function.name}") for called in _TEXTS_OF)
        calls = [
            node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function.name
        ]
        given = [value for call in calls for value in _given(call, position, name)]
        return bool(calls) and all(map(self.is_seen, [*given, *bound]))


def _given(call: ast.Call, position: int, name: str) -> Iterator[ast.expr]:
    """What a call gives for a parameter. A starred argument may hold any of those after it."""
    stars = [i for i, value in enumerate(call.args) if isinstance(value, ast.Starred)]
    first_star = min(stars, default=position)
    yield from call.args[min(first_star, position) : position + 1]
    yield from (word.value for word in call.keywords if word.arg == name)


def _returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _bound(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """The values that are bound to a name in a scope, those of a tuple one by one."""
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _bound_by(target, value, name)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _bound_by(target, value, name)
            case ast.NamedExpr(target=target, value=value) | ast.For(target=target, iter=value):
                yield from _bound_by(target, value, name)


def _bound_by(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Name(id=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values):
            for one, its in zip(targets, values, strict=False):
                yield from _bound_by(one, its, name)
        case ast.Tuple(elts=targets), _:
            for one in targets:
                yield from _bound_by(one, value, name)


def table(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The texts that are not in the source, for each module that has some."""
    errors = exceptions(trees.values())
    found = {path: unseen(tree, errors) for path, tree in trees.items()}
    return {path: texts for path, texts in found.items() if texts}
