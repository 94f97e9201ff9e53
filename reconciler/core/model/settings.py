"""reconciler.yaml, read and checked."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import PurePath

from reconciler.core.model.hazard import Consent

EMULATOR = "emulator"
# The embedded emulator answers only its own command; started, it answers others.
_START = "reconcile emulator start --port 8080"
_STARTED = "http://127.0.0.1:8080"


class Redact(StrEnum):
    """Which live values are masked where output may be stored."""

    IDENTIFYING = "identifying"
    ALL = "all"
    NONE = "none"


class RecordMode(StrEnum):
    """How `apply` leaves the records behind."""

    FILES = "files"
    COMMIT = "commit"


class Permission(StrEnum):
    """Whether something is done that AWS may refuse or does not describe."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Rules:
    """What AWS leaves open (decision 0002), each with the conservative default.

    `series_on_primary` and `uids_on_primary`: U11. `remove_last`: U8. `removals_need_force`: U23.
    `payload_bytes`: U13, both blobs after base64. `revert_on_primary`: whether a revert
    may leave the Patient or Study level of one primary image set unlike that of its siblings.
    """

    series_on_primary: Permission = Permission.REFUSE
    uids_on_primary: Permission = Permission.REFUSE
    remove_last: Permission = Permission.REFUSE
    revert_on_primary: Permission = Permission.REFUSE
    removals_need_force: bool = True
    payload_bytes: int = 10_000

    @property
    def stated(self) -> tuple[tuple[str, str | bool | int], ...]:
        """Those that differ from the defaults, by their name in reconciler.yaml, sorted."""
        defaults = Rules()
        found = {
            _camel(one.name): getattr(self, one.name)
            for one in fields(Rules)
            if getattr(self, one.name) != getattr(defaults, one.name)
        }
        return tuple(sorted(found.items()))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls a second and the burst above it.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/throttling-limits.html
    """

    rate: float
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The most that one apply may change in a data store; None is no bound.

    `image_sets` and `removed_instances` are counts, `percent` is of the recorded image sets.
    """

    image_sets: int | None = None
    percent: float | None = None
    removed_instances: int | None = None


DOCUMENTED_QUOTAS: dict[str, Quota] = {
    "SearchImageSets": Quota(25, 50),
    "GetImageSet": Quota(25, 50),
    "GetImageSetMetadata": Quota(50, 100),
    "ListImageSetVersions": Quota(25, 50),
    "UpdateImageSetMetadata": Quota(0.25, 1),
}
CONCURRENT_UPDATES = 100


@dataclass(frozen=True, slots=True)
class Datastore:
    """One data store. `endpoint` is "" for AWS, `emulator`, or a URL."""

    name: str
    datastore_id: str
    region: str
    account_id: str = ""
    endpoint: str = ""

    @property
    def is_aws(self) -> bool:
        """Whether this is the real service: only that has quotas and credentials."""
        return not self.endpoint

    def message_hint(self, image_set_id: str, version_id: str) -> str:
        """How to see the service's own message about a version: an AWS CLI command to paste.

        The message may echo DICOM values, so it is not printed where output may be stored.
        """
        command = (
            f"aws medical-imaging get-image-set --datastore-id {self.datastore_id} "
            f"--image-set-id {image_set_id} --version-id {version_id} --region {self.region}"
        )
        if self.is_aws:
            return f"To see the service's own message: {command}"
        # A custom endpoint has no `runtime-` host beside it.
        endpoint = _STARTED if self.endpoint == EMULATOR else self.endpoint
        command = (
            f"AWS_DISABLE_HOST_PREFIX_INJECTION=true {command} "
            f"--endpoint-url {shlex.quote(endpoint)}"
        )
        first = f"{_START}, then: " if self.endpoint == EMULATOR else ""
        return f"To see the service's own message: {first}{command}"

    @property
    def quota_domain(self) -> tuple[str, str]:
        """What data stores that draw on the same quotas have in common.

        A run has one caller, so on AWS the region alone tells accounts' quotas apart.
        """
        return self.endpoint, self.region


@dataclass(frozen=True, slots=True)
class Settings:
    """`root` is the folder of reconciler.yaml; every path in it is relative to that."""

    root: PurePath
    manifests: str
    datastores: tuple[Datastore, ...]
    # Rates that differ from the documented ones: everywhere, and for "account/region".
    quotas: tuple[tuple[str, float], ...] = ()
    account_quotas: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    allow: tuple[Consent, ...] = ()
    redact: Redact = Redact.IDENTIFYING
    record_mode: RecordMode = RecordMode.FILES
    rules: Rules = field(default=Rules())
    lock_timeout_seconds: float = 900.0
    guardrails: Guardrails = field(default=Guardrails())

    def datastore(self, name: str) -> Datastore:
        """The data store of that name; KeyError where reconciler.yaml has none."""
        for datastore in self.datastores:
            if datastore.name == name:
                return datastore
        raise KeyError(name)


def quotas_by_domain(settings: Settings) -> dict[tuple[str, str], dict[str, Quota]]:
    """The quotas of every `Datastore.quota_domain`."""
    found: dict[tuple[str, str], dict[str, Quota]] = {}
    # Those that state their account first: only they can find its `accounts:` entry.
    for datastore in sorted(settings.datastores, key=lambda one: (not one.account_id, one.name)):
        found.setdefault(datastore.quota_domain, quotas_of(datastore, settings))
    return found


def quotas_of(datastore: Datastore, settings: Settings) -> dict[str, Quota]:
    """The quotas of a data store: the documented ones on AWS, then those of reconciler.yaml.

    An emulator has none but those that `quotas:` states. A stated rate keeps the documented burst.
    """
    quotas = dict(DOCUMENTED_QUOTAS) if datastore.is_aws else {}
    key = f"{datastore.account_id}/{datastore.region}"
    for operation, rate in (*settings.quotas, *dict(settings.account_quotas).get(key, ())):
        burst = DOCUMENTED_QUOTAS.get(operation, Quota(rate)).burst
        quotas[operation] = Quota(rate, burst)
    return quotas
