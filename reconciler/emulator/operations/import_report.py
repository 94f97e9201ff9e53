"""Writes the output of an import job to its outputS3Uri: a manifest, and a line of JSON for each
file.

The names of files and keys are those of the developer guide, "Understanding import jobs".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from reconciler.emulator.files.s3_folder import Location
from reconciler.emulator.operations.joining import Joined
from reconciler.emulator.store import private

if TYPE_CHECKING:  # it imports pydicom, which is slow
    from reconciler.emulator.files.ingest import Problem


@dataclass(slots=True)
class Report:
    """The results of one job, until they are written."""

    datastore_id: str
    job_id: str
    source: Location
    output: Location
    _success: list[dict[str, Any]] = field(default_factory=list)
    _failure: list[dict[str, Any]] = field(default_factory=list)
    _warning: list[dict[str, Any]] = field(default_factory=list)
    _image_sets: dict[str, Joined] = field(default_factory=dict)

    @property
    def folder_uri(self) -> str:
        """The folder of this job's output. The service shows it as the job's `outputS3Uri`."""
        return f"{self.output.uri}/{self._folder_name}/"

    @property
    def _folder_name(self) -> str:
        return f"{self.datastore_id}-DicomImport-{self.job_id}"

    def imported(self, files: Iterable[Path], joined: Joined) -> None:
        """Report files whose instances are in an image set now."""
        response = {
            "imageSetId": joined.image_set_id,
            "imageSetVersion": joined.version,
            "isPrimary": joined.is_primary,
        }
        self._image_sets[joined.image_set_id] = joined
        self._success += [
            {"inputFile": self.source.key(file), "importResponse": response} for file in files
        ]

    def failed(self, problems: Iterable[Problem]) -> None:
        """Report files that hold no instance."""
        self._failure += map(self._exception, problems)

    def passed_over(self, problems: Iterable[Problem]) -> None:
        """Report files whose instance is also in another file of the job."""
        self._warning += map(self._exception, problems)

    def _exception(self, problem: Problem) -> dict[str, Any]:
        return {
            "inputFile": self.source.key(problem.path),
            "exception": {"exceptionType": "ValidationException", "message": problem.reason},
        }

    def write(self) -> None:
        """Write all files, the manifest last. Raises OSError where a file cannot be written."""
        folder = self.output.path / self._folder_name
        parts = {"SUCCESS": self._success, "FAILURE": self._failure, "WARNING": self._warning}
        for part, lines in parts.items():
            private.make_folder(folder / part)
            text = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
            private.create(folder / part / f"{part.lower()}.ndjson", text)
        private.create(folder / "job-output-manifest.json", orjson.dumps(self._manifest()))

    def _manifest(self) -> dict[str, Any]:
        uri = self.folder_uri
        found = len(self._success), len(self._failure), len(self._warning)
        image_sets = [
            {
                "imageSetId": joined.image_set_id,
                "imageSetVersion": joined.version,
                "isPrimary": joined.is_primary,
                "numberOfMatchedSOPInstances": joined.instances,
            }
            for joined in self._image_sets.values()
        ]
        return {
            "jobSummary": {
                "jobId": self.job_id,
                "datastoreId": self.datastore_id,
                "inputS3Uri": f"{self.source.uri}/",
                "outputS3Uri": uri,
                "successOutputS3Uri": f"{uri}SUCCESS/",
                "failureOutputS3Uri": f"{uri}FAILURE/",
                "warningsOutputS3Uri": f"{uri}WARNING/",
                "numberOfScannedFiles": sum(found),
                "numberOfImportedFiles": len(self._success),
                "numberOfFilesWithCustomerError": len(self._failure),
                "numberOfFilesWithServerError": 0,
                "numberOfGeneratedImageSets": len(image_sets),
                "imageSetsSummary": image_sets,
            }
        }
