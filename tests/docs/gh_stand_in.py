"""A stand-in for `gh api` and the comments of a pull request, as far as our lines use them.

Flags that it does not know end with an error, as those of gh do. Sources: `gh api --help`;
docs.github.com, REST API endpoints for issue comments.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import Any

import jq

_STATE = Path(os.environ["COMMENTS"])
_PAGE = 30  # the default of GitHub; `per_page` allows up to 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("-X", "--method", default="GET")
    parser.add_argument("-F", "--field", action="append", default=[])
    parser.add_argument("-q", "--jq")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    given = parser.parse_args()
    path, _, query = given.endpoint.partition("?")
    rows: list[dict[str, Any]] = json.loads(_STATE.read_text())
    fields = dict(_field(one) for one in given.field)
    match given.method, path.removeprefix("repos/hospital/metadata/issues/").split("/"):
        case "GET", ["12", "comments"]:
            _print(_pages(rows, query) if given.paginate else _pages(rows, query)[:1], given.jq)
            return
        case "POST", ["12", "comments"]:
            rows.append(
                {"id": 1000 + len(rows), "user": {"login": "github-actions[bot]"}, **fields}
            )
        case "PATCH", ["comments", number]:
            (row,) = (row for row in rows if str(row["id"]) == number)
            row.update(fields)
        case _:
            raise SystemExit(f"gh: Not Found (HTTP 404): {given.method} {path}")
    _STATE.write_text(json.dumps(rows))


def _field(text: str) -> tuple[str, str]:
    """`-F name=@file` takes the content of a file as it is."""
    name, _, value = text.partition("=")
    return name, Path(value[1:]).read_text() if value.startswith("@") else value


def _pages(rows: list[dict[str, Any]], query: str) -> list[list[dict[str, Any]]]:
    found = re.search(r"per_page=(\d+)", query)
    size = min(100, int(found[1])) if found else _PAGE
    return [rows[at : at + size] for at in range(0, len(rows), size)] or [[]]


def _print(pages: list[list[dict[str, Any]]], expression: str) -> None:
    """`--jq` is applied to each page; a text is printed without quotes."""
    for page in pages:
        for found in jq.compile(expression).input_value(page):
            print(found if isinstance(found, str) else json.dumps(found))


if __name__ == "__main__":
    main()
