"""Every text of the package that a person can read, found in its syntax trees. No I/O.

A text is a string or an f-string in the source that is prose: it has a space and a word in lower
case. Parts that Python joins are one text. A placeholder is shown by its expression. Docstrings
are no messages, except those of commands, which `--help` prints.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PLACEHOLDER_LENGTH = 40
_WORD = re.compile(r"(?<![\w\\])[a-z]{2,}(?!\w)")
# No message has one of these words in capitals.
_SQL = re.compile(r"\b(?:SELECT|INSERT|CREATE|PRAGMA|BEGIN|WHERE|VALUES|FROM|COALESCE)\b")
# A table of attributes, one or more a line.
_TAGS = re.compile(r"^[0-9A-F]{8} \w", re.MULTILINE)
# Their text is a pattern or a type. No command prints it.
_NO_MESSAGES = frozenset({"re.compile", "re.fullmatch", "re.match", "re.sub", "cast", "TypeVar"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Message:
    """A text and where it stands."""

    line: int
    column: int
    text: str


def messages(tree: ast.Module, commands: frozenset[str] = frozenset()) -> list[Message]:
    """The messages of a module in the order of the source. `commands` names its commands."""
    found = _Texts(commands)
    found.visit(tree)
    return sorted(message for message in found.texts if _is_prose(message.text))


def commands(trees: Mapping[str, ast.Module]) -> dict[str, frozenset[str]]:
    """The functions that are commands, for each module that has some.

    A command is decorated with `@app.command()`, or put into the app of another module by
    `app.command("plan")(plan.plan)`.
    """
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, _Function) and any(map(_is_command, node.decorator_list)):
                found.setdefault(path, set()).add(node.name)
            if isinstance(node, ast.Call) and _is_command(node.func):
                module, _, function = ast.unparse(node.args[0]).rpartition(".")
                found.setdefault(f"{path.rpartition('/')[0]}/{module}.py", set()).add(function)
    return {path: frozenset(names) for path, names in found.items()}


def _is_command(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "command"
    )


class _Texts(ast.NodeVisitor):
    def __init__(self, commands: frozenset[str]) -> None:
        self.texts: list[Message] = []
        self._commands = commands

    def _keep(self, node: ast.expr, text: str) -> None:
        self.texts.append(Message(node.lineno, node.col_offset, text))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._keep(node, node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._keep(node, text_of(node))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)  # it may hold texts of its own

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add) and (parts := _added(node)) is not None:
            self._keep(node, "".join(map(text_of, parts)))
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) not in _NO_MESSAGES:
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        is_type = ast.unparse(node.annotation) == "TypeAlias"
        if not (is_type and isinstance(node.value, ast.Constant)):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        docstring = ast.get_docstring(node)
        if node.name in self._commands and docstring:
            self._keep(node.body[0].value, docstring)  # type: ignore[attr-defined]
        self.generic_visit(node)


def text_of(node: ast.expr) -> str:
    """A string or f-string as it is shown; any other expression as a placeholder."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(text_of, parts))
        case ast.FormattedValue(value=value):
            return _placeholder(value)
    return _placeholder(node)


def _placeholder(node: ast.expr) -> str:
    """`{len(paths)}`; `{join(…)}` where the expression is long; `{this|that}` for two texts."""
    if isinstance(node, ast.IfExp) and _is_text(node.body) and _is_text(node.orelse):
        return f"{{{text_of(node.body)}|{text_of(node.orelse)}}}"
    source = ast.unparse(node)
    if len(source) > _PLACEHOLDER_LENGTH or "'" in source or '"' in source:
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        source = f"{name.rpartition('.')[2]}(…)" if name else "…"
    return f"{{{source}}}"


def _added(node: ast.expr) -> list[ast.expr] | None:
    """The parts of `"text" + name + f"text"`; None where a part is anything else."""
    parts = list(_summands(node))
    return parts if all(_is_text(part) or isinstance(part, ast.Name) for part in parts) else None


def _summands(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _summands(node.left)
        yield from _summands(node.right)
    else:
        yield node


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_prose(text: str) -> bool:
    bare = text
    while (inner := re.sub(r"\{[^{}]*\}", "X", bare)) != bare:
        bare = inner
    is_data = _SQL.search(text) or _TAGS.search(text)
    return " " in bare.strip() and bool(_WORD.search(bare)) and not is_data
