"""The files of `reconcile init`: what they hold, and that nothing of a template is left over."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from reconciler.core.model.settings import RecordMode
from reconciler.edges.settings import read_settings
from reconciler.init import policies
from reconciler.init.answers import Answers, Forge, Repository, Store
from reconciler.init.check import lack
from reconciler.init.scaffold import File, scaffold, values
from reconciler.init.templates import Compare, Template, templates
from reconciler.pipeline import check
from tests.docs.markdown import REPOSITORY, blocks

STORE = Store("research", "12345678901234567890123456789012", "us-east-1", "123456789012")
HOSTED = Repository("hospital", "metadata", "123", "456")
ALL = [
    Answers((STORE,), "123456789012", "us-east-1", "main"),
    Answers((STORE,), "123456789012", "us-east-1", "main", Forge.GITHUB, HOSTED),
    Answers((STORE,), "123456789012", "us-east-1", "main", Forge.GITLAB, HOSTED),
]


def named(answers: Answers) -> str:
    return answers.forge or "nowhere"


def contents(answers: Answers) -> dict[str, str]:
    return {file.template.path: file.content for file in scaffold(answers)}


@pytest.mark.parametrize("answers", ALL, ids=named)
def test_no_placeholder_is_left_over(answers: Answers) -> None:
    made = scaffold(answers)
    assert [file.template.path for file in made if "@@" in file.content] == []
    assert [one.path for one in templates(answers.forge)] == [file.template.path for file in made]


@pytest.mark.parametrize("answers", ALL, ids=named)
def test_every_file_ends_with_a_line_break_and_has_no_space_at_the_end_of_a_line(
    answers: Answers,
) -> None:
    for path, content in contents(answers).items():
        assert content.endswith("\n"), path
        assert not re.search(r"[ \t]\n|\n\n\Z", content), path


@pytest.mark.parametrize("answers", ALL[1:], ids=named)
def test_the_lock_of_the_jobs_has_the_packages_that_are_tested(answers: Answers) -> None:
    """If it differs: `scripts/ship_lock.sh`. The wheel of this version is on no index yet."""
    comments, option, packages = contents(answers)["reconcile-requirements.txt"].partition(
        "--only-binary :all:\n"
    )
    tested = (REPOSITORY / "requirements.lock").read_text().partition(option)
    assert option and packages == tested[2]
    assert all(line.startswith("#") for line in comments.splitlines())
    assert "imageset-reconciler" not in packages


@pytest.mark.parametrize("answers", ALL[1:], ids=named)
def test_each_path_of_codeowners_is_in_the_scaffold_or_made_later(answers: Answers) -> None:
    made = [*contents(answers), "reconciler.key", "records/one.json"]
    (owners,) = (text for path, text in contents(answers).items() if path.endswith("CODEOWNERS"))
    owned = [line.split()[0].lstrip("/") for line in owners.splitlines() if line[0] == "/"]
    assert owned
    for path in owned:
        assert any(one == path or one.startswith(path) for one in made), path


def test_the_same_answers_give_the_same_bytes() -> None:
    assert scaffold(ALL[1]) == scaffold(ALL[1])


def test_a_file_without_a_value_for_a_placeholder_is_left_out() -> None:
    """The trust policies need the numbers of the repository."""
    template = Template("one", "@@NO_SUCH_VALUE@@")
    assert not template.placeholders <= values(ALL[1]).keys()
    with pytest.raises(KeyError):
        template.rendered(values(ALL[1]))


def placed(folder: Path, answers: Answers) -> Path:
    """The settings of a scaffold, in a folder."""
    for path, content in contents(answers).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder / "reconciler.yaml"


def test_the_settings_are_read(tmp_path: Path) -> None:
    other = Store("archive", "b" * 32, "eu-west-1", "210987654321")
    answers = Answers((STORE, other), "123456789012", "us-east-1", "main")
    found = read_settings(placed(tmp_path, answers)).datastores
    assert [(one.name, one.datastore_id, one.region, one.account_id) for one in found] == [
        ("archive", "b" * 32, "eu-west-1", "210987654321"),
        ("research", "12345678901234567890123456789012", "us-east-1", "123456789012"),
    ]


@pytest.mark.parametrize("answers", ALL, ids=named)
def test_a_host_protects_the_branch_so_records_go_to_their_own(
    answers: Answers, tmp_path: Path
) -> None:
    found = read_settings(placed(tmp_path, answers)).record_mode
    assert found is (RecordMode.BRANCH if answers.forge else RecordMode.COMMIT)


def test_the_first_manifest_is_valid_without_its_comment_signs(tmp_path: Path) -> None:
    settings = read_settings(placed(tmp_path, ALL[0]))
    manifest = tmp_path / "manifests" / "first.yaml"
    lines = manifest.read_text().splitlines()
    start = lines.index("# apiVersion: reconciler/v1")
    manifest.write_text("\n".join(line.removeprefix("# ") for line in lines[start:]))
    (ask,) = check(settings).asks
    assert len(ask.claims) == 2


def snippets() -> Mapping[str, Any]:
    text = contents(ALL[0])[".vscode/manifests.code-snippets"]
    return dict(json.loads(text))


@pytest.mark.parametrize("name", snippets())
def test_a_snippet_with_its_defaults_is_a_valid_manifest(name: str, tmp_path: Path) -> None:
    """`${1:text}` and `${1|one,two|}` (code.visualstudio.com: Snippets in Visual Studio Code)."""
    settings = read_settings(placed(tmp_path, ALL[0]))
    body = "\n".join(snippets()[name]["body"])
    body = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", body)
    body = re.sub(r"\$\{\d+\|([^,|]*)[^}]*\}", r"\1", body).replace("$0", "")
    assert "$" not in body
    (tmp_path / "manifests" / "first.yaml").write_text(body)
    checked = check(settings)
    assert len(checked.asks) + len(checked.selectors) == 1


def called() -> set[str]:
    """The operations of medical-imaging whose methods or names stand in edges/aws."""
    model = botocore.session.get_session().get_service_model("medical-imaging")
    methods = {xform_name(name): name for name in model.operation_names}
    return {methods[word] for word in _words() if word in methods}


def _words() -> Iterator[str]:
    for path in (REPOSITORY / "reconciler/edges/aws").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(attr=word) | ast.Constant(value=str(word)):
                    yield word


def actions(policy: str) -> set[str]:
    statements = json.loads(policy)["Statement"]
    return {action for statement in statements for action in statement["Action"]}


def test_the_policies_allow_what_the_code_calls_and_nothing_else() -> None:
    assert called() == {*policies.READS, *policies.WRITES}
    reads = {f"medical-imaging:{name}" for name in policies.READS}
    assert actions(policies.plan_policy([STORE])) == reads
    writes = actions(policies.apply_policy([STORE])) - reads
    assert writes == {"medical-imaging:UpdateImageSetMetadata"}


@pytest.mark.parametrize("policy", [policies.plan_policy, policies.apply_policy])
def test_the_policies_are_limited_to_the_data_stores(policy: Any) -> None:
    other = Store("archive", "b" * 32, "eu-west-1", "210987654321")
    for statement in json.loads(policy([STORE, other]))["Statement"]:
        arn = "arn:aws:medical-imaging:"
        assert statement["Resource"] == [
            f"{arn}us-east-1:123456789012:datastore/{STORE.datastore_id}",
            f"{arn}us-east-1:123456789012:datastore/{STORE.datastore_id}/imageset/*",
            f"{arn}eu-west-1:210987654321:datastore/{'b' * 32}",
            f"{arn}eu-west-1:210987654321:datastore/{'b' * 32}/imageset/*",
        ]


def test_the_page_on_permissions_has_the_same_policies() -> None:
    plan, more = (json.loads(block.text) for block in blocks("docs/permissions.md", "json"))
    document = {"Statement": plan["Statement"] + more["Statement"]}
    assert actions(json.dumps(plan)) == actions(policies.plan_policy([STORE]))
    assert actions(json.dumps(document)) == actions(policies.apply_policy([STORE]))
    assert (
        plan["Statement"][0]["Resource"]
        == (json.loads(policies.plan_policy([STORE]))["Statement"][0]["Resource"])
    )


def one(path: str) -> File:
    return next(file for file in scaffold(ALL[1]) if file.template.path == path)


@pytest.mark.parametrize("answers", ALL, ids=named)
def test_a_fresh_scaffold_lacks_nothing_but_the_wheel(answers: Answers) -> None:
    """A person builds the wheel of reconcile, and adds it to the lock."""
    lacks = [
        file.template.path
        for file in scaffold(answers)
        if lack(file.template, file.template.path, file.content, values(answers))
    ]
    assert lacks == (["reconcile-requirements.txt"] if answers.forge else [])


def test_lines_that_a_file_lacks_are_those_to_add() -> None:
    ignore = one(".gitignore")
    found = lack(ignore.template, ".gitignore", "*.pyc\nplan*.json\r\n", {})
    assert found and found.lines == (".reconcile/",)
    owners = one(".github/CODEOWNERS")
    theirs = owners.content.replace("@hospital/metadata-maintainers", "@hospital/imaging")
    assert lack(owners.template, "CODEOWNERS", theirs.replace("      ", " "), {}) is None
    without = "\n".join(line for line in theirs.splitlines() if "/records/" not in line)
    found = lack(owners.template, "CODEOWNERS", without, values(ALL[1]))
    assert found and [line.split() for line in found.lines] == [
        ["/records/", "@hospital/metadata-maintainers"]
    ]


def test_a_file_that_this_version_writes_otherwise_is_found_by_its_first_line() -> None:
    template = Template("schemas/one.json", "a @@VERSION@@\nb\nc\n")
    assert template.compare is Compare.WHOLE
    for content, line in {
        "a 1\nb\nc\n": None,
        "a 1\nB\nc\n": 2,
        "a 1\nb\n": 3,
        "a 1\nb\nc\nd\n": 4,
        "": 1,
    }.items():
        found = lack(template, template.path, content, {})
        assert (found and int(found.message.rpartition(" ")[2])) == line, content


def test_the_commit_of_an_action_may_be_another() -> None:
    """Dependabot raises it."""
    template = Template(".github/workflows/one.yml", f"- uses: a/b@{'1' * 40}  # v1\n")
    for line, is_same in {
        f"- uses: a/b@{'2' * 40}  # v2": True,
        f"- uses: a/b@{'2' * 40}": True,
        "- uses: a/b@main": False,
        f"- uses: a/c@{'1' * 40}  # v1": False,
    }.items():
        assert (lack(template, template.path, f"{line}\n", {}) is None) == is_same, line


@pytest.mark.parametrize(
    ("allowed", "missing"),
    [
        (["medical-imaging:*"], 0),
        ("MEDICAL-IMAGING:get*", 2),
        ([], 4),
        (None, 4),
        (7, 4),
    ],
)
def test_actions_that_a_policy_does_not_allow(allowed: Any, missing: int) -> None:
    policy = json.dumps({"Statement": {"Effect": "Allow", "Action": allowed, "Resource": "*"}})
    found = lack(one("iam/policy-plan.json").template, "one", policy, values(ALL[1]))
    assert len(found.lines if found else ()) == missing


@pytest.mark.parametrize("role", ["plan", "apply"])
def test_a_trust_policy_that_was_edited(role: str) -> None:
    file = one(f"iam/trust-{role}.json")
    policy = json.loads(file.content)
    path, known = file.template.path, values(ALL[1])
    assert lack(file.template, path, json.dumps(policy, indent=8), known) is None
    policy["Statement"][0]["Condition"].pop("StringEquals")
    assert lack(file.template, path, json.dumps(policy), known)
    assert lack(file.template, path, "{", known)
    assert lack(file.template, path, "{", {}) is None  # the numbers are not known


def test_a_data_store_that_a_policy_does_not_name() -> None:
    other = Store("archive", "b" * 32, "eu-west-1", "210987654321")
    found = lack(
        one("iam/policy-apply.json").template,
        "one",
        policies.apply_policy([STORE]),
        values(Answers((STORE, other), "123456789012", "us-east-1", "main")),
    )
    arn = f"arn:aws:medical-imaging:eu-west-1:210987654321:datastore/{'b' * 32}"
    assert found and found.lines == (arn, f"{arn}/imageset/*")


@pytest.mark.parametrize("policy", ["", "[]", "{", '{"Statement": 7}', '{"Statement": ["a"]}'])
def test_a_file_that_is_no_policy_allows_nothing(policy: str) -> None:
    found = lack(one("iam/policy-plan.json").template, "one", policy, values(ALL[1]))
    assert found and len(found.lines) == 6
