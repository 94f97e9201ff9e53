"""The storage of an import job: S3, or the folder that stands for it at an emulator."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol


class Objects(Protocol):
    """Objects under `s3://bucket/key` URIs. A prefix ends with a slash."""

    def put(self, uri: str, content: bytes) -> None:
        """Write an object."""
        ...

    def read_all(self, prefix: str) -> list[bytes]:
        """The content of every object below a prefix, in the order of their keys."""
        ...

    def delete_all(self, prefix: str) -> None:
        """Delete all objects below a prefix."""
        ...


class Folder:
    """`s3://bucket/key` is the file ROOT/bucket/key."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, uri: str, content: bytes) -> None:
        """A file."""
        path = self._path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def read_all(self, prefix: str) -> list[bytes]:
        """All files."""
        files = sorted(self._path(prefix).rglob("*"))
        return [file.read_bytes() for file in files if file.is_file()]

    def delete_all(self, prefix: str) -> None:
        """The folder, too."""
        shutil.rmtree(self._path(prefix), ignore_errors=True)

    def _path(self, uri: str) -> Path:
        return self._root / uri.removeprefix("s3://")


class S3:
    """A boto3 client of S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, uri: str, content: bytes) -> None:
        """PutObject."""
        bucket, key = _bucket_and_key(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def read_all(self, prefix: str) -> list[bytes]:
        """ListObjectsV2 and GetObject of each."""
        bucket, _ = _bucket_and_key(prefix)
        return [
            self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in self._keys(prefix)
        ]

    def delete_all(self, prefix: str) -> None:
        """ListObjectsV2 and DeleteObject of each."""
        bucket, _ = _bucket_and_key(prefix)
        for key in self._keys(prefix):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _keys(self, prefix: str) -> list[str]:
        bucket, start = _bucket_and_key(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        return sorted(row["Key"] for page in pages for row in page.get("Contents", ()))


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
