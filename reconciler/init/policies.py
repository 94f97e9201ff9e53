"""The IAM policies of the two roles: what each may do, on the data stores only.

Image set operations check the data store and the image set, SearchImageSets the data store alone
(docs.aws.amazon.com: Service Authorization Reference, AWS HealthImaging).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from reconciler.core.model.value import Json
from reconciler.init.answers import Store

VERSION = "2012-10-17"
# What edges/aws calls. `sts:GetCallerIdentity` needs no permission.
READS = ("GetImageSet", "GetImageSetMetadata", "ListImageSetVersions", "SearchImageSets")
WRITES = ("UpdateImageSetMetadata",)


def plan_policy(stores: Sequence[Store]) -> str:
    """The policy of the role that plans: it reads."""
    return policy_text([_statement("Plan", READS, stores)])


def apply_policy(stores: Sequence[Store]) -> str:
    """The policy of the role that applies: it also updates metadata."""
    return policy_text([_statement("Plan", READS, stores), _statement("Apply", WRITES, stores)])


def policy_text(statements: Sequence[Json]) -> str:
    """A policy document as its file has it, without the line break at its end."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, indent=2)


def _statement(sid: str, operations: Iterable[str], stores: Sequence[Store]) -> Json:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"medical-imaging:{name}" for name in operations],
        "Resource": [arn for store in stores for arn in _arns(store)],
    }


def _arns(store: Store) -> tuple[str, str]:
    """The data store, and its image sets (`imageset`, in lower case)."""
    arn = f"arn:aws:medical-imaging:{store.region}:{store.account}:datastore/{store.datastore_id}"
    return arn, f"{arn}/imageset/*"
