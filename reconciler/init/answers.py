"""The answers that a scaffold is made of: options of the command line, checked all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.core.errors import Diagnostic, InputError, Place
from reconciler.core.model.settings import RECORD_BRANCH, Settings

# As in schemas/reconciler.schema.json.
_ACCOUNT = re.compile("[0-9]{12}")
_REGION = re.compile("[a-z]{2}(-[a-z]+)+-[0-9]+")
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_DATASTORE_ID = re.compile("[0-9a-z]{32}")
# OWNER/NAME, or the form with numbers that GitHub writes into tokens: OWNER@1/NAME@2
# (docs.github.com: OpenID Connect, Immutable subject claims).
_ON_GITHUB = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9-]{0,38})(?:@([0-9]{1,19}))?/([A-Za-z0-9._-]{1,100})(?:@([0-9]{1,19}))?"
)
# Groups may be nested (docs.gitlab.com: Subgroups).
_ON_GITLAB = re.compile(r"(\w[\w.-]*(?:/\w[\w.-]*)*)/(\w[\w.-]*)", re.ASCII)
# Stricter than git-check-ref-format(1): the name is written into YAML and JSON.
_BRANCH = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*")


class Forge(StrEnum):
    """The host of the repository, whose CI system plans and applies."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on a host. GitHub's numbers are "" if they are not known."""

    owner: str
    name: str
    owner_id: str = ""
    repository_id: str = ""

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Store:
    """A data store on AWS."""

    name: str
    datastore_id: str
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class Given:
    """What the options state; "" or () where they state nothing."""

    forge: Forge | None = None
    account: str = ""
    region: str = ""
    datastores: Sequence[str] = ()
    repository: str = ""
    branch: str = "main"


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a scaffold needs. `account` and `region` are those of the roles of the CI system."""

    stores: tuple[Store, ...]
    account: str
    region: str
    branch: str
    forge: Forge | None = None
    repository: Repository | None = None
    record_branch: str = RECORD_BRANCH


def read(given: Given, settings: Settings | None = None) -> Answers:
    """Check the options. `settings` of an existing reconciler.yaml give the data stores.

    Raises InputError with every problem.
    """
    stores = of_settings(settings) if settings else tuple(_stores(given))
    account = given.account or _only(store.account for store in stores if store.account)
    stores = tuple(replace(store, account=store.account or account) for store in stores)
    region = given.region or _only(store.region for store in stores)
    repository = _repository(given)
    problems = (
        *_account_problems(account),
        *_region_problems(region),
        *(
            _settings_problems(settings, stores, given.datastores)
            if settings
            else _datastore_problems(given.datastores)
        ),
        *_repository_problems(given, repository),
        *_branch_problems(given.branch),
    )
    if problems:
        raise InputError(problems)
    records = settings.record_branch if settings else RECORD_BRANCH
    return Answers(stores, account, region, given.branch, given.forge, repository, records)


def read_for_check(given: Given, settings: Settings | None, *, hosted: bool) -> Answers:
    """What is known about an existing repository.

    With `hosted`, the repository on the host must be stated. Raises InputError for options that are
    wrong.
    """
    stores = tuple(store for store in of_settings(settings) if store.account) if settings else ()
    repository = _repository(given)
    problems = (
        *(_repository_problems(given, repository) if given.repository or hosted else ()),
        *_branch_problems(given.branch),
    )
    if problems:
        raise InputError(problems)
    account = _only(store.account for store in stores)
    region = _only(store.region for store in stores)
    records = settings.record_branch if settings else RECORD_BRANCH
    return Answers(stores, account, region, given.branch, given.forge, repository, records)


def of_settings(settings: Settings) -> tuple[Store, ...]:
    """The data stores on AWS that reconciler.yaml names.

    An emulator needs no permissions. But it may stand in the place of AWS, with its account.
    """
    return tuple(
        Store(store.name, store.datastore_id, store.region, store.account_id)
        for store in settings.datastores
        if store.account_id or not store.endpoint
    )


def _only(values: Iterator[str]) -> str:
    """The value if there is only one."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _stores(given: Given) -> Iterator[Store]:
    for text in given.datastores:
        name, _, datastore_id = text.partition("=")
        yield Store(name, datastore_id, given.region, given.account)


def _account_problems(account: str) -> Iterator[Diagnostic]:
    place = Place("--aws-account")
    if not account:
        hint = "Add the account of the data stores, such as `--aws-account 123456789012`."
        yield Diagnostic(place, "is missing", hint)
    elif not _ACCOUNT.fullmatch(account):
        yield Diagnostic(place, "is not an AWS account", "Write its 12 digits.")


def _region_problems(region: str) -> Iterator[Diagnostic]:
    place = Place("--region")
    if not region:
        hint = "Add the region of the data stores, such as `--region us-east-1`."
        yield Diagnostic(place, "is missing", hint)
    elif not _REGION.fullmatch(region):
        yield Diagnostic(place, "is not an AWS region", "Write it as `us-east-1`.")


def _datastore_problems(datastores: Sequence[str]) -> Iterator[Diagnostic]:
    place = Place("--datastore")
    if not datastores:
        hint = "Add a name of your choice and the datastoreId, as `--datastore research=ID`."
        yield Diagnostic(place, "is missing", hint)
    names: set[str] = set()
    ids: set[str] = set()
    for text in datastores:
        name, equals, datastore_id = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            hint = "Write NAME=ID. A name has letters, digits, _ . and -, such as `research`."
            yield Diagnostic(place, f"{text!r} has no name of a data store", hint)
            continue
        if not _DATASTORE_ID.fullmatch(datastore_id):
            hint = "A datastoreId has 32 characters, each 0-9 or a-z."
            yield Diagnostic(place, f"the ID of {name} is not a datastoreId", hint)
        elif datastore_id in ids:
            hint = "Keep one of them: records use the ID alone."
            yield Diagnostic(place, f"{name} has the ID of another data store", hint)
        if name in names:
            yield Diagnostic(place, f"the name {name} is given twice", "Choose another name.")
        names.add(name)
        ids.add(datastore_id)


def _settings_problems(
    settings: Settings, stores: Sequence[Store], datastores: Sequence[str]
) -> Iterator[Diagnostic]:
    """Options that the existing settings, which are kept, do not agree with."""
    if not stores:
        hint = "Add a data store with its datastoreId, region and accountId."
        yield Diagnostic(Place(settings.file), "names no data store on AWS", hint)
    named = {f"{store.name}={store.datastore_id}" for store in settings.datastores}
    for text in datastores:
        if text not in named:
            name = text.partition("=")[0]
            message = f"{settings.file} exists, and does not name the data store {name}"
            hint = f"Add it to {settings.file}, or leave out the option."
            yield Diagnostic(Place("--datastore"), message, hint)


def _repository(given: Given) -> Repository | None:
    if given.forge is Forge.GITLAB and (found := _ON_GITLAB.fullmatch(given.repository)):
        return Repository(found[1], found[2])
    if given.forge is Forge.GITHUB and (found := _ON_GITHUB.fullmatch(given.repository)):
        owner, owner_id, name, repository_id = found.groups(default="")
        # `.` and `..` are no names: they would be parts of a path of GitHub's API.
        if bool(owner_id) == bool(repository_id) and name.strip("."):
            return Repository(owner, name, owner_id, repository_id)
    return None


def _repository_problems(given: Given, found: Repository | None) -> Iterator[Diagnostic]:
    place = Place("--repository")
    if given.forge is None:
        if given.repository:
            hint = "Add --github or --gitlab, or leave it out."
            yield Diagnostic(place, "is for a repository on GitHub or GitLab", hint)
    elif not given.repository:
        hint = f"Add the repository on the host, as `--repository {_EXAMPLES[given.forge]}`."
        yield Diagnostic(place, "is missing", hint)
    elif found is None:
        hint = f"Write it as `{_EXAMPLES[given.forge]}`."
        if given.forge is Forge.GITHUB:
            hint = "Write it as `OWNER/NAME`, or with both numbers as `OWNER@ID/NAME@ID`."
        yield Diagnostic(place, "is not the name of a repository", hint)


_EXAMPLES = {Forge.GITHUB: "OWNER/NAME", Forge.GITLAB: "GROUP/NAME"}


def _branch_problems(branch: str) -> Iterator[Diagnostic]:
    if not _BRANCH.fullmatch(branch):
        hint = "Write the name of a branch, such as `main`: letters, digits, _ - . and /."
        yield Diagnostic(Place("--default-branch"), "is not the name of a branch", hint)
