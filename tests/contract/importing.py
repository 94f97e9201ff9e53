"""Makes image sets the way AWS makes them: DICOM files, an upload, an import job, its output.

A data store takes no metadata documents, so this is the only way on AWS. The same code runs against
an emulator; only endpoint, clock and storage differ.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.core.ports import Clock
from tests.contract.dicom_files import dicom_files
from tests.contract.objects import Objects

JOB_SECONDS = 3600.0  # an import that takes longer fails
POLL_SECONDS = 2.0
DELETE_ROUNDS = 3
DELETE_SECONDS = 4.1  # between deletes, whose quota is 0.25 a second
STORE_SECONDS = 600.0


@dataclass
class Importer:
    """Imports into one data store. `client` is boto3's; both prefixes are of this run alone."""

    client: Any
    objects: Objects
    clock: Clock
    datastore_id: str
    input_prefix: str
    output_prefix: str
    role: str
    _jobs: int = 0
    _made: list[str] = field(default_factory=list)

    def put_all(self, documents: Sequence[dict[str, Any]], *, primary: bool) -> list[str]:
        """The image sets that the service made of the documents, in the same order.

        No parameter asks for a non-primary image set: the service makes it of instances that
        conflict with a primary image set. So an instance of the same series goes first, with
        another description.
        """
        if any(len(document["Study"]["Series"]) != 1 for document in documents):
            pytest.skip("an import makes an image set of each series")
        if not primary:
            self._import([_conflicting(document) for document in documents])
        return self._import(documents)

    def _import(self, documents: Sequence[dict[str, Any]]) -> list[str]:
        self._jobs += 1
        folder = f"{self.input_prefix}{self._jobs}/"
        for number, document in enumerate(documents):
            for part, content in enumerate(dicom_files(document)):
                self.objects.put(f"{folder}{number}-{part}.dcm", content)
        by_document = self._run(folder)
        return [by_document[number] for number in range(len(documents))]

    def _run(self, folder: str) -> dict[int, str]:
        """The image set of each document, from the output of the job."""
        self.clock.sleep(1.1)  # StartDICOMImportJob: one a second
        job_id = self.client.start_dicom_import_job(
            datastoreId=self.datastore_id,
            dataAccessRoleArn=self.role,
            inputS3Uri=folder,
            outputS3Uri=self.output_prefix,
        )["jobId"]
        output = self._wait(job_id)
        failures = self.objects.read_all(f"{output}FAILURE/")
        image_sets: dict[int, set[str]] = {}
        for line in b"\n".join(self.objects.read_all(f"{output}SUCCESS/")).splitlines():
            if line:
                result = json.loads(line)
                number = result["inputFile"].rsplit("/", 1)[-1].partition("-")[0]
                found = result["importResponse"]["imageSetId"]
                image_sets.setdefault(int(number), set()).add(found)
        self._made += set().union(*image_sets.values())
        assert not b"".join(failures), "the service refused a file: see the output of the job"
        assert all(len(found) == 1 for found in image_sets.values())
        return {number: found.pop() for number, found in image_sets.items()}

    def _wait(self, job_id: str) -> str:
        """The folder of the job's output."""
        began = self.clock.now()
        while self.clock.now() - began < JOB_SECONDS:
            job = self.client.get_dicom_import_job(datastoreId=self.datastore_id, jobId=job_id)
            status = job["jobProperties"]["jobStatus"]
            if status == "COMPLETED":
                folder: str = job["jobProperties"]["outputS3Uri"]
                return folder
            assert status != "FAILED", job["jobProperties"].get("message")
            self.clock.sleep(POLL_SECONDS)
        raise AssertionError(f"import job {job_id} has not ended")

    def clean(self) -> list[str]:
        """Delete all image sets and objects of this run. Returns those that were not deleted."""
        left = self._made
        for _ in range(DELETE_ROUNDS):  # one that is still LOCKED can be deleted later
            left = [image_set_id for image_set_id in left if not self._delete(image_set_id)]
        self.objects.delete_all(self.input_prefix)
        self.objects.delete_all(self.output_prefix)
        return left

    def _delete(self, image_set_id: str) -> bool:
        self.clock.sleep(DELETE_SECONDS)
        try:
            self.client.delete_image_set(datastoreId=self.datastore_id, imageSetId=image_set_id)
        except self.client.exceptions.ClientError:
            return False
        return True


def _conflicting(document: dict[str, Any]) -> dict[str, Any]:
    """Another instance of the same series, with another value at Series level."""
    other = copy.deepcopy(document)
    (series,) = other["Study"]["Series"].values()
    (block, *_) = series["Instances"].values()
    uid = f"{block['DICOM']['SOPInstanceUID']}.0"
    block["DICOM"]["SOPInstanceUID"] = uid
    series["DICOM"]["SeriesDescription"] = "Keeps others from being primary"
    series["Instances"] = {uid: block}
    return other


def new_datastore(client: Any, clock: Clock, name: str) -> str:
    """A data store that takes image sets."""
    datastore_id = str(client.create_datastore(datastoreName=name)["datastoreId"])
    began = clock.now()
    while clock.now() - began < STORE_SECONDS:
        found = client.get_datastore(datastoreId=datastore_id)["datastoreProperties"]
        if found["datastoreStatus"] == "ACTIVE":
            return datastore_id
        clock.sleep(POLL_SECONDS)
    raise AssertionError(f"data store {datastore_id} has not become ACTIVE")


def delete_datastore(client: Any, clock: Clock, datastore_id: str) -> str:
    """Delete the data store once its image sets are gone. Returns the reason of a failure."""
    began, problem = clock.now(), ""
    while clock.now() - began < STORE_SECONDS:
        clock.sleep(DELETE_SECONDS * 3)  # DeleteDatastore: 0.085 a second
        try:
            client.delete_datastore(datastoreId=datastore_id)
        except client.exceptions.ConflictException as error:
            problem = f"data store {datastore_id}: {error}"
        else:
            return ""
    return problem
