"""A stand-in for `gh api`: it answers from a file, and records how it was called.

Flags that it does not know end with an error, as those of gh do. Pages of a list are printed one
after the other, as `gh api --paginate` prints pages of objects. Sources: `gh api --help`,
`gh help exit-codes`.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from pathlib import Path


def main(folder: Path, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("--hostname", default="github.com")
    parser.add_argument("--paginate", action="store_true")
    given = parser.parse_args(arguments)
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([given.hostname, given.endpoint, sorted(os.environ)]) + "\n")
    answer = json.loads((folder / "answers.json").read_text()).get(given.endpoint)
    if answer is None:
        answer = {"said": "gh: Not Found (HTTP 404)", "code": 1}
    if "said" in answer:
        message = answer["said"].removeprefix("gh: ").partition(" (HTTP")[0]
        print(json.dumps({"message": message}))
        print(answer["said"], file=sys.stderr)
        return int(answer["code"])
    if "bytes" in answer:
        sys.stdout.buffer.write(base64.b64decode(answer["bytes"]))
        return 0
    pages = answer["pages"] if given.paginate else answer["pages"][:1]
    print("".join(map(json.dumps, pages)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
