"""StartDICOMImportJob, GetDICOMImportJob and ListDICOMImportJobs.

A job is done within StartDICOMImportJob, in one transaction at its end. The clock decides which
status is shown: SUBMITTED, IN_PROGRESS, and COMPLETED when its image sets can be read. So a job
that is interrupted by kill -9 has not started, and the same clientToken starts it.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from reconciler.emulator.files.s3_folder import Location, locate
from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    new_id,
    page_position,
    page_token,
    require_datastore,
)
from reconciler.emulator.operations.datastores import lossless_format
from reconciler.emulator.operations.import_report import Report
from reconciler.emulator.operations.joining import Import
from reconciler.emulator.store.image_frames import ImageFrame, keep_frame
from reconciler.emulator.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from reconciler.emulator.files.ingest import Ingested

_MOST_RESULTS = 50
_MOST_FILES = 5_000  # of one import job ("Endpoints and quotas")
_KEPT = ("jobName", "dataAccessRoleArn", "inputS3Uri")
_START_OF_JSON = 512
# The warnings of pydicom are caught for the whole process, so one thread at a time reads files.
_READING = threading.Lock()


class _Failed(Exception):
    """The reason why a job ends as FAILED."""


@dataclass(frozen=True, slots=True)
class _Job:
    context: Context
    datastore_id: str
    job_id: str
    source: Location
    report: Report


def start_import_job(context: Context, parameters: Parameters) -> Result:
    """StartDICOMImportJob. The same clientToken returns the same job again."""
    datastore_id, submitted_at = parameters["datastoreId"], context.now()
    with context.store.read() as connection:
        require_datastore(context, connection, datastore_id)
    if "importConfiguration" in parameters:
        raise invalid("This emulator imports DICOM P10 files only, no DICOM JSON metadata.")
    source = locate(context.s3_root, parameters["inputS3Uri"], "inputS3Uri")
    output = locate(context.s3_root, parameters["outputS3Uri"], "outputS3Uri")
    job_id = new_id()
    job = _Job(context, datastore_id, job_id, source, Report(datastore_id, job_id, source, output))
    with _READING:
        with context.store.read() as connection:
            known = _of_token(connection, datastore_id, parameters["clientToken"])
        row = known or _run(job, parameters, submitted_at)
    return {
        "datastoreId": datastore_id,
        "jobId": row["id"],
        "jobStatus": _status(row, context.now()),
        "submittedAt": row["submitted_at"],
    }


def _of_token(connection: sqlite3.Connection, datastore_id: str, token: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM import_jobs WHERE datastore_id = ? AND client_token = ?",
        (datastore_id, token),
    ).fetchone()
    return row


def _run(job: _Job, parameters: Parameters, submitted_at: float) -> sqlite3.Row:
    """Do the whole job. A job that fails leaves nothing that can be read."""
    try:
        ingested = _read(job)
        with job.context.store.write() as connection:
            known = _of_token(connection, job.datastore_id, parameters["clientToken"])
            if known is not None:  # another emulator of this folder has done it
                return known
            ready_at = _import(job, connection, ingested)
            return _insert(connection, job, parameters, submitted_at, ready_at, None)
    except _Failed as failed:
        message = str(failed)
    except OSError:
        message = "The output could not be written to the outputS3Uri."
    with job.context.store.write() as connection:
        ready_at = job.context.now() + job.context.update_seconds
        return _insert(connection, job, parameters, submitted_at, ready_at, message)


def _read(job: _Job) -> Ingested:
    """Read the files. This may take long, so each frame is a transaction of its own."""
    # Imported here: pydicom is slow to import, and most commands import no files.
    from reconciler.emulator.files.ingest import Problem, ingest
    from reconciler.emulator.files.storage import storage

    files = list(job.source.files(_MOST_FILES))
    if not files:
        raise _Failed("The inputS3Uri has no objects.")
    if len(files) > _MOST_FILES:
        raise _Failed(f"The inputS3Uri has more than {_MOST_FILES} objects.")
    documents = [file for file in files if _is_metadata_file(file)]
    job.report.failed(Problem(file, "it is not a DICOM file") for file in documents)

    def keep(frame: ImageFrame) -> None:
        with job.context.store.write() as connection:
            keep_frame(connection, job.datastore_id, frame)

    with job.context.store.read() as connection:
        stored_as = storage(lossless_format(connection, job.datastore_id))
    return ingest(sorted(set(files) - set(documents)), keep, stored_as)


def _import(job: _Job, connection: sqlite3.Connection, ingested: Ingested) -> float:
    """The moment from which the image sets can be read."""
    now = job.context.now()
    ready_at = now + job.context.update_seconds
    importing = Import(job.context, connection, job.datastore_id, now, ready_at)
    for image_set in ingested.image_sets:
        job.report.imported(image_set.files, importing.join(image_set.document))
    job.report.failed(ingested.refused)
    job.report.passed_over(ingested.repeated)
    job.report.write()
    return ready_at


def _is_metadata_file(file: Path) -> bool:
    """Whether a file is a metadata document: `emulator load` takes it, an import job does not."""
    from reconciler.emulator.files.metadata_file import is_metadata

    try:
        with file.open("rb") as stream:
            return is_metadata(stream.read(_START_OF_JSON))
    except OSError:
        return False


def _insert(
    connection: sqlite3.Connection,
    job: _Job,
    parameters: Parameters,
    submitted_at: float,
    ended_at: float,
    message: str | None,
) -> sqlite3.Row:
    # Not the outputS3Uri of the request: AWS's examples of GetDICOMImportJob show the folder.
    kept = {key: parameters.get(key) for key in _KEPT} | {"outputS3Uri": job.report.folder_uri}
    started_at = ended_at - job.context.update_seconds / 2
    row: sqlite3.Row = connection.execute(
        "INSERT INTO import_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            job.datastore_id, job.job_id, parameters["clientToken"], orjson.dumps(kept).decode(),
            submitted_at, started_at, ended_at, message,
        ),
    ).fetchone()  # fmt: skip
    return row


def _status(row: sqlite3.Row, now: float) -> str:
    if now < row["started_at"]:
        return "SUBMITTED"
    if now < row["ended_at"]:
        return "IN_PROGRESS"
    return "FAILED" if row["message"] else "COMPLETED"


def _properties(row: sqlite3.Row, now: float) -> Result:
    status = _status(row, now)
    properties: Result = {
        "jobId": row["id"],
        "jobStatus": status,
        "datastoreId": row["datastore_id"],
        "submittedAt": row["submitted_at"],
        **orjson.loads(row["properties"]),
    }
    if status in ("COMPLETED", "FAILED"):
        properties["endedAt"] = row["ended_at"]
    if status == "FAILED":
        properties["message"] = row["message"]
    return properties


def get_import_job(context: Context, parameters: Parameters) -> Result:
    """GetDICOMImportJob."""
    datastore_id = parameters["datastoreId"]
    with context.store.read() as connection:
        require_datastore(context, connection, datastore_id)
        row = connection.execute(
            "SELECT * FROM import_jobs WHERE datastore_id = ? AND id = ?",
            (datastore_id, parameters["jobId"]),
        ).fetchone()
    if row is None:
        raise not_found("The import job does not exist.")
    return {"jobProperties": _properties(row, context.now())}


def list_import_jobs(context: Context, parameters: Parameters) -> Result:
    """ListDICOMImportJobs, in the order of their submission."""
    datastore_id, wanted = parameters["datastoreId"], parameters.get("jobStatus")
    limit = parameters.get("maxResults", _MOST_RESULTS)
    position = page_position(parameters.get("nextToken"), float, str) or [-1.0, ""]
    with context.store.read() as connection:
        require_datastore(context, connection, datastore_id)
        rows = connection.execute(
            "SELECT * FROM import_jobs WHERE datastore_id = ? AND (submitted_at, id) > (?, ?) "
            "ORDER BY submitted_at, id",
            (datastore_id, *position),
        ).fetchall()
    now = context.now()
    rows = [row for row in rows if wanted in (None, _status(row, now))]
    summaries = [_properties(row, now) for row in rows[:limit]]
    for summary in summaries:
        del summary["inputS3Uri"], summary["outputS3Uri"]
    result: Result = {"jobSummaries": summaries}
    if len(rows) > limit:
        result["nextToken"] = page_token([rows[limit - 1]["submitted_at"], rows[limit - 1]["id"]])
    return result
