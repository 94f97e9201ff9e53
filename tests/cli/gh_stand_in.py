"""A stand-in for `gh api` that reads: it answers from a table, and records its arguments.

The file that GH_TABLE names holds an answer for each path, or a status and what GitHub says. Flags
that it does not know end with an error, as those of gh do. Sources: `gh api --help`;
cli.github.com/manual/gh_help_exit-codes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

_NEEDS_LOGIN = 4


def main() -> int:
    assert not [name for name in os.environ if name.startswith("AWS_")], "not for gh"
    with Path(os.environ["GH_CALLS"]).open("a") as file:
        file.write(json.dumps(sys.argv[1:]) + "\n")
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("--hostname", default="github.com")
    given = parser.parse_args()
    if os.environ.get("GH_TOKEN") is None:
        print("To get started with GitHub CLI, please run:  gh auth login", file=sys.stderr)
        return _NEEDS_LOGIN
    table: dict[str, Any] = json.loads(Path(os.environ["GH_TABLE"]).read_text())
    match table.get(given.endpoint, [404, "Not Found"]):
        case [int(status), str(said)]:
            print(json.dumps({"message": said, "status": str(status)}))
            print(f"gh: {said} (HTTP {status})", file=sys.stderr)
            return 1
        case answer:
            print(json.dumps(answer))
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
