"""The settings of reconciler.yaml."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import PurePath

from reconciler.core.model.guardrail import Guardrail
from reconciler.core.model.hazard import Consent
from reconciler.core.model.reviewed import REVIEW_SECONDS

EMULATOR = "emulator"
# The branch of the record modes `branch` and `pull-request`.
RECORD_BRANCH = "reconcile/records"
# The embedded emulator runs only inside its command; `emulator start` serves other programs.
_START = "reconcile emulator start --port 8080"
_STARTED = "http://127.0.0.1:8080"


class Redact(StrEnum):
    """Which live values are masked in output that may be stored."""

    IDENTIFYING = "identifying"
    ALL = "all"
    NONE = "none"


class Comment(StrEnum):
    """What stands for a value of a manifest in the outputs of a job: the value, or its place."""

    CLEAR = "clear"
    PLACE = "place"


class RecordMode(StrEnum):
    """What `apply` does with the records."""

    FILES = "files"
    COMMIT = "commit"
    BRANCH = "branch"
    PULL_REQUEST = "pull-request"

    @property
    def is_apart(self) -> bool:
        """Whether the records go to a branch of their own."""
        return self in (RecordMode.BRANCH, RecordMode.PULL_REQUEST)


class Permission(StrEnum):
    """Whether to allow an operation that AWS may refuse or does not document."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Rules:
    """Decisions where AWS documents nothing (decision 0002), with conservative defaults.

    `series_on_primary` and `uids_on_primary`: U11. `remove_last`: U8. `removals_need_force`: U23.
    `payload_bytes`: U13, both blobs after base64. `revert_on_primary`: whether a revert may make
    the Patient or Study level of a primary image set differ from its siblings. `service_fields`:
    U33, whether an update may add fields of the service to a document that lacks them.
    """

    series_on_primary: Permission = Permission.REFUSE
    uids_on_primary: Permission = Permission.REFUSE
    remove_last: Permission = Permission.REFUSE
    revert_on_primary: Permission = Permission.REFUSE
    removals_need_force: bool = True
    payload_bytes: int = 10_000
    service_fields: Permission = Permission.ALLOW

    @property
    def stated(self) -> tuple[tuple[str, str | bool | int], ...]:
        """The rules that differ from the defaults, by their names in reconciler.yaml, sorted."""
        return tuple(sorted(set(self.named) - set(Rules().named)))

    @property
    def named(self) -> tuple[tuple[str, str | bool | int], ...]:
        """All rules, by their names in reconciler.yaml, in the order of the fields."""
        return tuple((_camel(one.name), getattr(self, one.name)) for one in fields(Rules))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass(frozen=True, slots=True)
class Quota:
    """The calls a second and the burst of a quota.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/throttling-limits.html
    """

    rate: float
    burst: float = 1.0


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
        """Whether this is AWS. Only AWS has quotas and needs credentials."""
        return not self.endpoint

    def message_hint(self, image_set_id: str, version_id: str) -> str:
        """Return an AWS CLI command that shows the service's own message about a version.

        The message may contain DICOM values, so it is not printed where output may be stored.
        """
        command = (
            f"aws medical-imaging get-image-set --datastore-id {self.datastore_id} "
            f"--image-set-id {image_set_id} --version-id {version_id} --region {self.region}"
        )
        if self.is_aws:
            return f"To see the service's own message: {command}"
        # A custom endpoint has no host with the prefix `runtime-`.
        endpoint = _STARTED if self.endpoint == EMULATOR else self.endpoint
        command = (
            f"AWS_DISABLE_HOST_PREFIX_INJECTION=true {command} "
            f"--endpoint-url {shlex.quote(endpoint)}"
        )
        first = f"{_START}, then: " if self.endpoint == EMULATOR else ""
        return f"To see the service's own message: {first}{command}"

    @property
    def quota_domain(self) -> tuple[str, str]:
        """A value that is equal for data stores that share quotas.

        A run uses one AWS account, so on AWS only the region matters.
        """
        return self.endpoint, self.region


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of `file` in the folder `root`, to which its paths are relative.

    `digest` is over the bytes of the file, which hold no DICOM value. `review_seconds` is how long
    a review holds. `fingerprint_key` names the environment variable with the key of fingerprints;
    "" if reconciler.yaml names none.
    """

    root: PurePath
    manifests: str
    datastores: tuple[Datastore, ...]
    # Rates that differ from the documented rates: in general, and for each "account/region".
    quotas: tuple[tuple[str, float], ...] = ()
    account_quotas: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    allow: tuple[Consent, ...] = ()
    redact: Redact = Redact.IDENTIFYING
    comment: Comment | None = None
    record_mode: RecordMode | None = None
    record_branch: str = RECORD_BRANCH
    rules: Rules = field(default=Rules())
    lock_timeout_seconds: float = 900.0
    guardrails: tuple[Guardrail, ...] = ()
    file: str = "reconciler.yaml"
    digest: str = ""
    review_seconds: float = REVIEW_SECONDS
    fingerprint_key: str = ""

    def datastore(self, name: str) -> Datastore:
        """Return the data store with a name. Raises KeyError if reconciler.yaml has none."""
        for datastore in self.datastores:
            if datastore.name == name:
                return datastore
        raise KeyError(name)


def quotas_by_domain(settings: Settings) -> dict[tuple[str, str], dict[str, Quota]]:
    """Return the quotas of every `Datastore.quota_domain`."""
    found: dict[tuple[str, str], dict[str, Quota]] = {}
    # Data stores with an accountId come first: only they can find their `accounts:` entry.
    for datastore in sorted(settings.datastores, key=lambda one: (not one.account_id, one.name)):
        found.setdefault(datastore.quota_domain, quotas_of(datastore, settings))
    return found


def quotas_of(datastore: Datastore, settings: Settings) -> dict[str, Quota]:
    """Return the quotas of a data store: documented quotas on AWS, changed by reconciler.yaml.

    An emulator has only the quotas under `quotas:`. A stated rate keeps the documented burst.
    """
    quotas = dict(DOCUMENTED_QUOTAS) if datastore.is_aws else {}
    key = f"{datastore.account_id}/{datastore.region}"
    for operation, rate in (*settings.quotas, *dict(settings.account_quotas).get(key, ())):
        burst = DOCUMENTED_QUOTAS.get(operation, Quota(rate)).burst
        quotas[operation] = Quota(rate, burst)
    return quotas
