"""Load image sets into a running emulator over HTTP. AWS has no such call."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from reconciler.core.errors import ReconcilerError, UnreachableError
from reconciler.emulator.files.ingest import ImageSet
from reconciler.emulator.files.transfer_syntaxes import DEFAULT_LOSSLESS_FORMAT
from reconciler.emulator.store.image_frames import ImageFrame

_ID = re.compile(r"[0-9a-z]{32}")
_SECONDS = 60.0
_CONFLICT = 409
_OTHER_CONTENT = (
    "Load it into another data store. Or import changed DICOM files with StartDICOMImportJob, "
    "which replaces instances as AWS does."
)
# A data store that does not exist: 403 is what `missing_datastore_code` may choose.
_MISSING = (403, 404)
_HINT = "Give the URL that `reconcile emulator start` printed, like http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Reply:
    """`line` is the JSON to print. If the emulator refuses, `problem` and `hint` say why."""

    line: str = ""
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Loader:
    """A client of one data store. Raises UnreachableError if no emulator answers."""

    connection: HTTPConnection
    endpoint: str
    path: str
    datastore_id: str

    def lossless_format(self) -> str:
        """The losslessStorageFormat of the data store; the default if there is no data store."""
        status, is_emulator, body = self._call("GET", f"/datastore/{self.datastore_id}", b"")
        answer = self._answer(status, is_emulator, body)
        if answer.problem and status not in _MISSING:
            raise ReconcilerError(answer.problem)
        properties = json.loads(answer.line or "{}").get("datastoreProperties", {})
        return str(properties.get("losslessStorageFormat", DEFAULT_LOSSLESS_FORMAT))

    def load(self, image_set: ImageSet, *, primary: bool | None) -> Reply:
        """Create version 1 of an image set. If `primary` is None, the service's rule decides."""
        body = json.dumps(
            {
                "document": image_set.document,
                "imageSetId": image_set.image_set_id,
                "primary": primary,
            }
        )
        return self._answer(*self._send("POST", "/load", body.encode()))

    def seed(self, numbers: dict[str, int]) -> int:
        """Create a chunk of synthetic image sets. Returns the number of new image sets."""
        answer = self._answer(*self._send("POST", "/seed", json.dumps(numbers).encode()))
        if answer.problem:
            raise ReconcilerError(answer.problem)
        return int(json.loads(answer.line)["loaded"])

    def keep(self, frame: ImageFrame) -> Reply:
        """Store a frame, for GetImageFrame."""
        path = f"/frame/{frame.id}?contentType={quote(frame.content_type, safe='')}"
        return self._answer(*self._send("PUT", path, frame.data))

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, bool, bytes]:
        return self._call(method, f"/_emulator/datastore/{self.datastore_id}{path}", body)

    def _call(self, method: str, path: str, body: bytes) -> tuple[int, bool, bytes]:
        try:
            headers = {"Content-Type": "application/octet-stream"}
            self.connection.request(method, self.path + path, body, headers)
            response = self.connection.getresponse()
            is_emulator = response.getheader("Server", "").startswith("HealthImagingEmulator")
            return response.status, is_emulator, response.read()
        except (OSError, HTTPException, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise UnreachableError(
                f"no emulator answers at {self.endpoint}: {reason}", _HINT
            ) from None

    def _answer(self, status: int, is_emulator: bool, body: bytes) -> Reply:
        try:
            answer = json.loads(body) if is_emulator else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ReconcilerError(f"the server at {self.endpoint} is not the emulator", _HINT)
        if status != 200:
            problem = str(answer.get("message", f"HTTP status {status}"))
            return Reply(problem=problem, hint=_OTHER_CONTENT if status == _CONFLICT else "")
        return Reply(line=json.dumps(answer))


def connect(endpoint: str, datastore_id: str) -> Loader:
    """A loader for a data store. Sends nothing; raises ReconcilerError for malformed arguments."""
    if not _ID.fullmatch(datastore_id):
        raise ReconcilerError(
            "the data store's ID must be 32 lower-case letters and digits",
            "Any such ID works: the emulator creates the data store.",
        )
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ReconcilerError(f"{endpoint!r} is not the URL of an emulator", _HINT)
    make = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = make(url.hostname, port, timeout=_SECONDS)
    return Loader(connection, endpoint, url.path.rstrip("/"), datastore_id)
