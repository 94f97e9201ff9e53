"""The services that the one suite runs against.

The fake in memory, the emulator over HTTP given documents, the emulator over HTTP given DICOM
files to import; and AWS instead, which imports the same way, with `--aws` (docs/emulator.md).
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Datastore
from reconciler.core.ports import Clock, ImageSets
from reconciler.edges import aws
from reconciler.edges.quotas import MARGIN, UPDATE, Buckets
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.trouble.quotas import DOCUMENTED
from tests.contract.importing import Importer, delete_datastore, new_datastore
from tests.contract.objects import S3, Folder
from tests.contract.stores import NOTHING, ContractStore, RealClock, StandingClock, Turns, loading
from tests.fakes import FakeClock, FakeImageSets

UPDATE_SECONDS = 4.0
# More than the four seconds between two updates of the quota: otherwise no test sees LOCKED.
UPDATE_SECONDS_AT_QUOTA = 10.0
SEARCH_LAG_SECONDS = 3.0
AWS_PATIENCE_SECONDS = 300.0
MISSING = "f" * 32
_NUMBERS = itertools.count(1)
_NEEDED = ("--aws-region", "--aws-input", "--aws-output", "--aws-role")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("aws", "the contract suite against AWS, at your cost")
    group.addoption("--aws", action="store_true", help="run against AWS, and nothing else")
    group.addoption("--aws-region", help="the region")
    group.addoption("--aws-input", help="s3://bucket/prefix/ to upload DICOM files to")
    group.addoption("--aws-output", help="s3://bucket/prefix/ for the output of import jobs")
    group.addoption("--aws-role", help="the ARN of the role that import jobs assume")
    group.addoption("--aws-datastore", help="a data store to use; the default is a new one")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" not in metafunc.fixturenames:
        return
    config = metafunc.config
    if not config.getoption("--aws", default=False):
        metafunc.parametrize("store", ["fake", "emulator", "imported"], indirect=True)
        return
    missing = [name for name in _NEEDED if not config.getoption(name)]
    if missing:
        raise pytest.UsageError(f"--aws needs {', '.join(missing)}")
    if hasattr(config, "workerinput"):
        raise pytest.UsageError("--aws runs in one process: the quotas are those of the account")
    metafunc.parametrize("store", ["aws"], indirect=True)


@pytest.fixture(scope="session")
def emulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Emulator, StandingClock]]:
    clock = StandingClock()
    folder = tmp_path_factory.mktemp("contract")
    with Emulator(folder, Options(update_seconds=UPDATE_SECONDS, now=clock.now)) as emulator:
        yield emulator, clock


@dataclass(frozen=True)
class Shared:
    """The import that all tests of a run share."""

    importer: Importer
    port: ImageSets
    missing: ImageSets
    clock: Clock
    buckets: Buckets


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """An emulator with the quotas and delays of AWS, used the way AWS is used."""
    clock = StandingClock()
    root = tmp_path_factory.mktemp("imported")
    with Emulator(
        root / "data",
        Options(
            update_seconds=UPDATE_SECONDS_AT_QUOTA,
            now=clock.now,
            s3_root=root / "s3",
            limits=DOCUMENTED,
            behaviours=Behaviours(search_lag_seconds=SEARCH_LAG_SECONDS),
        ),
    ) as emulator:
        (root / "s3").mkdir()
        client = boto3.client(
            "medical-imaging",
            endpoint_url=emulator.endpoint,
            region_name="us-east-1",
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )
        datastore_id = new_datastore(client, clock, "contract")
        importer = Importer(
            client,
            Folder(root / "s3"),
            clock,
            datastore_id,
            "s3://contract-input/files/",
            "s3://contract-output/results/",
            "arn:aws:iam::000000000000:role/import",
        )
        shared = _shared(importer, clock, "us-east-1", emulator.endpoint, clock.standing)
        yield shared
        # A throttled call delays the shared import, and an update would end before a later test
        # looks.
        assert shared.buckets.rate(UPDATE) == pytest.approx(MARGIN * DOCUMENTED_QUOTAS[UPDATE].rate)
        assert importer.clean() == []
        assert delete_datastore(client, clock, datastore_id) == ""
        assert not [file for file in (root / "s3").rglob("*") if file.is_file()]


@pytest.fixture(scope="session")
def on_aws(request: pytest.FixtureRequest) -> Iterator[Shared]:
    """Writes to AWS. Everything that it made is deleted in the end, and leftovers are reported."""
    region, input_prefix, output_prefix, role = map(request.config.getoption, _NEEDED)
    given, clock, run = request.config.getoption("--aws-datastore"), RealClock(), uuid.uuid4().hex
    session = boto3.Session(region_name=region)
    client = session.client("medical-imaging")
    datastore_id = given or new_datastore(client, clock, f"contract-{run}")
    print(f"data store {datastore_id}")
    importer = Importer(
        client,
        S3(session.client("s3")),
        clock,
        datastore_id,
        f"{input_prefix.rstrip('/')}/{run}/",
        f"{output_prefix.rstrip('/')}/{run}/",
        role,
    )
    try:
        yield _shared(importer, clock, region, None)
    finally:
        left = importer.clean()
        if not given:
            left.append(delete_datastore(client, clock, datastore_id))
    assert not any(left), f"not deleted: {left}"


def _shared(
    importer: Importer,
    clock: Clock,
    region: str,
    endpoint: str | None,
    standing: AbstractContextManager[object] = NOTHING,
) -> Shared:
    buckets = Buckets(DOCUMENTED_QUOTAS, clock)
    return Shared(
        importer,
        Turns(_connected(importer.datastore_id, region, endpoint), buckets, standing),
        Turns(_connected(MISSING, region, endpoint), buckets, standing),
        clock,
        buckets,
    )


def _connected(datastore_id: str, region: str, endpoint: str | None) -> ImageSets:
    datastore = Datastore("research", datastore_id, region, endpoint=endpoint or "")
    return aws.connect(datastore, endpoint=endpoint)


def _of_emulator(emulator: Emulator, clock: StandingClock) -> ContractStore:
    datastore_id = f"{next(_NUMBERS):032d}"

    def load(document: dict[str, Any], primary: bool) -> None:
        emulator.service.load(
            datastore_id, document, image_set_id=document["ImageSetID"], primary=primary
        )

    def connected(datastore_id: str) -> ImageSets:
        return _connected(datastore_id, "us-east-1", emulator.endpoint)

    emulator.service.ensure_datastore(datastore_id, "contract")
    port, missing = connected(datastore_id), connected(MISSING)
    return ContractStore(port, missing, datastore_id, loading(load), clock)


def _of_fake() -> ContractStore:
    fake = FakeImageSets(FakeClock(), update_seconds=UPDATE_SECONDS)

    def put(document: dict[str, Any], primary: bool) -> None:
        fake.put(document, primary=primary)

    missing = FakeImageSets(missing=True)
    return ContractStore(fake, missing, fake.datastore_id, loading(put), fake.clock)


def _of_import(shared: Shared, *, patience: float, is_exact: bool) -> ContractStore:
    return ContractStore(
        shared.port,
        shared.missing,
        shared.importer.datastore_id,
        shared.importer.put_all,
        shared.clock,
        patience=patience,
        is_exact=is_exact,
    )


@pytest.fixture
def store(request: pytest.FixtureRequest) -> ContractStore:
    if request.param == "fake":
        return _of_fake()
    if request.param == "emulator":
        return _of_emulator(*request.getfixturevalue("emulator"))
    if request.param == "imported":
        shared = request.getfixturevalue("imported")
        return _of_import(shared, patience=2 * SEARCH_LAG_SECONDS, is_exact=True)
    shared = request.getfixturevalue("on_aws")
    return _of_import(shared, patience=AWS_PATIENCE_SECONDS, is_exact=False)
