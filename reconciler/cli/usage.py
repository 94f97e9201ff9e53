"""Word the errors of wrong options. Typer passes on the words of the library that it uses."""

from __future__ import annotations

from typing import Any

import typer

# By the type of pydantic's error (https://docs.pydantic.dev/latest/errors/validation_errors/).
# The fields in braces are in the context of the error.
_TAKES = {
    "int_parsing": "takes a whole number",
    "int_parsing_size": "takes a smaller number",
    "float_parsing": "takes a number",
    "greater_than_equal": "takes {ge:.10g} or more",
    "less_than_equal": "takes {le:.10g} or less",
}


def message(error: typer.TyperException) -> str:
    """What is wrong with the command line: the option, the value, and what it takes."""
    if getattr(error, "option_name", "") == "--search":
        return "no command has an option --search: `reconcile search` lists image sets"
    found = getattr(error.__cause__, "errors", None)
    if not isinstance(error, typer.BadParameter) or found is None or error.param is None:
        return error.format_message()
    option = error.param.get_error_hint().replace("'", "")
    return option + _problem(found()[0])


def _problem(found: dict[str, Any]) -> str:
    context = found.get("ctx", {})
    if "error" in context:  # Typer's own sentence: a word that is not among those to choose from
        return f": {str(context['error']).rstrip('.')}"
    takes = _TAKES.get(found["type"], "takes another value")
    return f" {takes.format(**context)}, not {found['input']!r}"
