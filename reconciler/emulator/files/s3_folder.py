"""A folder that stands for S3: `s3://bucket/prefix` is `ROOT/bucket/prefix`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.emulator.wire.errors import invalid

_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Location:
    """A prefix of a bucket. `bucket` and `path` are folders below the root."""

    uri: str
    bucket: Path
    path: Path

    def key(self, file: Path) -> str:
        """The S3 key that a file of the bucket stands for: UTF-8, whatever bytes its name has."""
        key = file.relative_to(self.bucket).as_posix()
        return os.fsencode(key).decode("utf-8", "replace")

    def files(self, most: int) -> Iterator[Path]:
        """The objects below the prefix, at most `most` + 1 of them, in no order.

        A link that leads out of the bucket is not an object.
        """
        found = [self.path] if self.path.is_file() else self.path.rglob("*")
        bucket = self.bucket.resolve()
        for file in found:
            if file.is_file() and file.resolve().is_relative_to(bucket):
                yield file
                most -= 1
                if most < 0:
                    return


def locate(root: Path | None, uri: str, name: str) -> Location:
    """The folder of an S3 URI; ValidationException where it would lead out of the root."""
    if root is None:
        raise invalid("This emulator has no S3: start it with --s3-root.")
    bucket, _, prefix = uri.removeprefix(_SCHEME).partition("/")
    parts = prefix.rstrip("/").split("/") if prefix.strip("/") else []
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in (bucket, *parts)):
        raise invalid(f"{name} must not have empty, relative or escaping path segments.")
    folder = root.resolve() / bucket
    path = folder.joinpath(*parts)
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a name that is too long, a loop of links
        inside = False
    if not inside:
        raise invalid(f"{name} leads out of the S3 folder.")
    return Location(uri.rstrip("/"), folder, path)
