"""Git: exactly our files are committed, whatever else is going on in the work tree."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reconciler.core.errors import GitBusyError, GitError
from reconciler.edges import git
from reconciler.edges.git import Message, Moved
from reconciler.edges.git.content import LeftOutError, check_committed, check_staged
from reconciler.edges.git.failures import explained
from reconciler.edges.git.program import gitpython
from reconciler.edges.git.repository import repository_of

TEXT = Message("Record one image set", "research/abc 1 → 2", (("Plan-Digest", "sha256:0"),))


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration and no identity, as on a fresh machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GIT_COMMITTER_EMAIL", raising=False)


def run(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    (root / "manifest.yaml").write_text("one\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "first")
    return root


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_the_given_files_are_committed(root: Path) -> None:
    record = write(root, "records/research/ea.json", "{}\n")
    write(root, "manifest.yaml", "edited, not staged\n")
    write(root, "staged.yaml", "staged\n")
    run(root, "add", "staged.yaml")
    commit = git.commit(root, [record], TEXT)
    assert commit == run(root, "rev-parse", "HEAD")
    assert run(root, "show", "--name-only", "--format=") == "records/research/ea.json"
    assert run(root, "status", "--porcelain").splitlines() == [
        "M manifest.yaml",  # (stripped) still edited, still not staged
        "A  staged.yaml",
    ]


def test_a_folder_commits_what_changed_below_it_and_what_is_gone(root: Path) -> None:
    write(root, "records/research/ea.json", "1\n")
    gone = write(root, "records/research/00.json", "1\n")
    git.commit(root, [root / "records"], TEXT)
    gone.unlink()
    write(root, "records/research/ea.json", "2\n")
    write(root, "records/other/ea.json", "new\n")
    git.commit(root, [root / "records"], TEXT)
    assert run(root, "show", "--name-status", "--format=").splitlines() == [
        "A\trecords/other/ea.json",
        "D\trecords/research/00.json",
        "M\trecords/research/ea.json",
    ]


def test_nothing_changed_is_no_commit(root: Path) -> None:
    record = write(root, "records/research/ea.json", "{}\n")
    first = git.commit(root, [record], TEXT)
    assert git.commit(root, [record], TEXT) == ""
    assert git.head(root) == first


def test_the_message_has_trailers_that_git_can_read(root: Path) -> None:
    git.commit(root, [write(root, "records/a/ea.json", "{}\n")], TEXT)
    assert run(root, "log", "-1", "--format=%s") == TEXT.subject
    assert run(root, "log", "-1", "--format=%(trailers:key=Plan-Digest,valueonly)") == "sha256:0"
    assert "research/abc 1 → 2" in run(root, "log", "-1", "--format=%b")


def test_the_identity_is_the_users_or_ours(root: Path) -> None:
    git.commit(root, [write(root, "records/a/ea.json", "1\n")], TEXT)
    assert run(root, "log", "-1", "--format=%an <%ae>") == "reconciler <reconciler@localhost>"
    run(root, "config", "user.name", "Ada")
    run(root, "config", "user.email", "ada@example.org")
    git.commit(root, [write(root, "records/a/ea.json", "2\n")], TEXT)
    assert run(root, "log", "-1", "--format=%an <%ae> %cn") == "Ada <ada@example.org> Ada"


def test_works_from_a_folder_below_and_in_a_repository_without_a_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q", "below")
    project = tmp_path / "below" / "project"
    record = write(project, "records/a/ea.json", "{}\n")
    assert git.head(project) == ""
    assert git.commit(project, [record], TEXT) == git.head(project) != ""


def test_a_hooks_environment_does_not_lead_astray(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / "index"))
    commit = git.commit(root, [write(root, "records/a/ea.json", "{}\n")], TEXT)
    assert git.head(root) == commit
    assert os.environ["GIT_DIR"] == str(tmp_path / "other" / ".git")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert run(root, "rev-parse", "HEAD") == commit


def test_names_with_glob_characters_are_names(root: Path) -> None:
    write(root, "records/b/ea.json", "{}\n")
    record = write(root, "records/[ab]/ea.json", "{}\n")
    git.commit(root, [record], TEXT)
    assert run(root, "show", "--name-only", "--format=") == "records/[ab]/ea.json"


def test_a_hook_that_refuses_is_told(root: Path) -> None:
    refusing = hook(root, "echo 'not on my watch' >&2; exit 1")
    record = write(root, "records/a/ea.json", "{}\n")
    with pytest.raises(GitError, match="not on my watch") as caught:
        git.commit(root, [record], TEXT)
    assert "hook" in caught.value.hint
    refusing.unlink()
    assert git.commit(root, [record], TEXT)


def hook(root: Path, text: str, name: str = "pre-commit") -> Path:
    path = write(root, f".git/hooks/{name}", f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def index_of(root: Path) -> str:
    return run(root, "ls-files", "--stage")


def test_after_a_refused_hook_the_index_is_as_before(root: Path) -> None:
    changed = write(root, "records/a/00.json", "old\n")
    gone = write(root, "records/a/11.json", "old\n")
    half = write(root, "records/a/22.json", "old\n")
    git.commit(root, [root / "records"], TEXT)
    write(root, "staged.yaml", "by the user\n")
    half.write_text("staged by the user\n")
    run(root, "add", "staged.yaml", str(half))
    before = index_of(root), run(root, "rev-parse", "HEAD")
    changed.write_text("new\n")
    half.write_text("new\n")
    gone.unlink()
    write(root, "records/a/33.json", "new\n")
    refusing = hook(root, "exit 1")
    with pytest.raises(GitError):
        git.commit(root, [root / "records"], TEXT)
    assert (index_of(root), run(root, "rev-parse", "HEAD")) == before
    refusing.unlink()
    git.commit(root, [root / "records"], TEXT)
    assert run(root, "status", "--porcelain") == "A  staged.yaml"


def test_after_a_refused_first_commit_nothing_is_staged(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    hook(tmp_path, "exit 1")
    with pytest.raises(GitError):
        git.commit(tmp_path, [write(tmp_path, "records/a/ea.json", "{}\n")], TEXT)
    assert index_of(tmp_path) == ""


def test_what_another_run_committed_meanwhile_is_not_taken_back(root: Path) -> None:
    """The hook stands for that run, which is faster."""
    record = write(root, "records/a/ea.json", "{}\n")
    hook(
        root,
        "unset GIT_INDEX_FILE\n"
        "git -c user.name=other -c user.email=o@example.org -c core.hooksPath=/dev/null"
        " commit -q -m other -- records\nexit 1",
    )
    assert git.commit(root, [record], TEXT) == "", "nothing is left to commit"
    assert run(root, "log", "-1", "--format=%s") == "other"
    assert run(root, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "does",
    [
        "git rm -q --cached records/a/ea.json",
        "git rm -q -f records/a/ea.json",
        "echo other | git hash-object -w --stdin > blob;"
        " git update-index --cacheinfo 100644,$(cat blob),records/a/ea.json; rm blob",
    ],
    ids=["takes it out", "removes it", "changes it"],
)
def test_a_hook_that_leaves_a_file_out_is_an_error(root: Path, does: str) -> None:
    hook(root, does)
    write(root, "records/a/00.json", "{}\n")
    write(root, "records/a/ea.json", "{}\n")
    with pytest.raises(GitError) as caught:
        git.commit(root, [root / "records"], TEXT)
    made = run(root, "rev-parse", "HEAD")
    assert caught.value.message == (
        f"commit {made[:12]} does not contain records/a/ea.json as written"
    )
    assert "hook" in caught.value.hint
    assert "records/a/ea.json" not in index_of(root)
    assert run(root, "show", "HEAD:records/a/00.json") == "{}"


def test_what_another_run_has_written_meanwhile_is_committed_too(root: Path) -> None:
    """The filter stands for that run: git reads a file when it is added, and again to commit it."""
    write(root, ".gitattributes", "records/** filter=other\n")
    run(root, "config", "filter.other.clean", "cat; echo newer > records/a/ea.json")
    commit = git.commit(root, [write(root, "records/a/ea.json", "some\n")], TEXT)
    assert commit == run(root, "rev-parse", "HEAD")
    assert run(root, "show", "HEAD:records/a/ea.json") == "newer"


@pytest.mark.parametrize("clean", ["true", "tr a-z A-Z"], ids=["empties", "changes"])
def test_a_filter_that_loses_content_is_an_error(root: Path, clean: str) -> None:
    write(root, ".gitattributes", "records/** filter=lossy\n")
    run(root, "config", "filter.lossy.clean", clean)
    before = index_of(root), run(root, "rev-parse", "HEAD")
    with pytest.raises(
        GitError, match=r"a filter of git would change records/a/ea\.json"
    ) as caught:
        git.commit(root, [write(root, "records/a/ea.json", "some\n")], TEXT)
    assert "filter" in caught.value.hint
    assert (index_of(root), run(root, "rev-parse", "HEAD")) == before


@pytest.mark.parametrize(
    "settings",
    [{"filter.upper.clean": "tr a-z A-Z", "filter.upper.smudge": "tr A-Z a-z"}]
    + [{"core.autocrlf": value} for value in ("true", "input")],
    ids=["filter", "crlf", "input"],
)
def test_a_filter_that_gives_the_content_back_is_fine(root: Path, settings: dict[str, str]) -> None:
    write(root, ".gitattributes", "records/** filter=upper\n")
    for name, value in settings.items():
        run(root, "config", name, value)
    record = write(root, "records/a/ea.json", "some\n")
    assert git.commit(root, [record], TEXT) == run(root, "rev-parse", "HEAD")
    assert git.changed(root, [record]) == ()


def test_a_linked_working_tree_and_a_submodule_are_repositories(root: Path, tmp_path: Path) -> None:
    linked = root / "linked"  # also where it lies in the other tree
    run(root, "worktree", "add", "-q", "-b", "other", str(linked))
    commit = git.commit(linked, [write(linked, "records/a/ea.json", "{}\n")], TEXT)
    assert commit == run(linked, "rev-parse", "other") != run(root, "rev-parse", "main")
    outer = tmp_path / "outer"
    run(tmp_path, "init", "-q", str(outer))
    run(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(root), "sub")
    inner = outer / "sub"
    commit = git.commit(inner, [write(inner, "records/a/ea.json", "{}\n")], TEXT)
    assert commit == git.head(inner) == run(inner, "rev-parse", "HEAD")
    assert git.head(outer) == ""


@pytest.mark.parametrize("content", ["", "gitdir: nowhere\n", "garbage", "gitdir: /dev/null\n"])
def test_a_git_file_that_names_nothing_is_no_repository(root: Path, content: str) -> None:
    below = root / "below"
    write(root, "below/.git", content)
    assert git.head(below) == ""
    with pytest.raises(GitError, match="not in a git repository"):
        git.commit(below, [write(below, "records/a/ea.json", "{}\n")], TEXT)


def test_a_git_folder_without_content_is_passed_over(root: Path) -> None:
    (root / "below" / ".git").mkdir(parents=True)
    assert git.head(root / "below") == git.head(root) != ""


def test_core_worktree_does_not_lead_elsewhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run(root, "config", "core.worktree", str(tmp_path / "elsewhere"))
    git.commit(root, [write(root, "records/a/ea.json", "{}\n")], TEXT)
    shown = run(root, "--work-tree", str(root), "show", "--name-only", "--format=")
    assert shown == "records/a/ea.json"


def test_an_included_file_of_the_tree_is_refused_and_one_outside_is_not(
    root: Path, tmp_path: Path
) -> None:
    record = write(root, "records/a/ea.json", "{}\n")
    write(root, "shared.ini", "[core]\n\tabbrev = 7\n")
    run(root, "config", "include.path", "../shared.ini")
    with pytest.raises(GitError, match=r"git reads settings from .*shared\.ini"):
        git.commit(root, [record], TEXT)
    (root / "shared.ini").rename(tmp_path / "shared.ini")
    run(root, "config", "include.path", "../../shared.ini")
    assert git.commit(root, [record], TEXT)


def test_another_git_at_work_is_told(root: Path) -> None:
    write(root, ".git/index.lock", "")
    with pytest.raises(GitError, match="lock") as caught:
        git.commit(root, [write(root, "records/a/ea.json", "{}\n")], TEXT)
    assert "lock file" in caught.value.hint


def test_a_lock_that_cannot_be_made_is_no_other_git() -> None:
    """As git says it, in a container whose working copy is read-only."""
    for reason, hint in (
        ("Read-only file system", "can be written"),
        ("Permission denied", "Fix"),
    ):
        said = f"fatal: Unable to create '/w/.git/index.lock': {reason}"
        with pytest.raises(GitError) as caught, explained("git commit"):
            raise gitpython().GitCommandError("git commit", 128, said)
        assert hint in caught.value.hint
        assert "other git process" not in caught.value.hint


def test_a_record_that_another_run_removes_from_the_index_is_worth_another_try(root: Path) -> None:
    path = write(root, "records/a/ea.json", "{}\n")
    with repository_of(root) as repo:
        assert repo is not None
        with pytest.raises(GitBusyError, match="another run writes records/a/ea"):
            check_staged(repo, {}, {repo.name(path): b"{}\n"})


def test_records_that_are_committed_and_not_in_the_index_are_put_back(root: Path) -> None:
    """Another run has committed them while this run removed them from the index."""
    path = write(root, "records/a/ea.json", "{}\n")
    made = git.commit(root, [path], TEXT)
    run(root, "rm", "-q", "--cached", "records/a/ea.json")
    assert git.commit(root, [path], TEXT) == ""
    assert run(root, "status", "--porcelain") == ""
    assert run(root, "rev-parse", "HEAD") == made


@pytest.mark.parametrize(("now", "error"), [("third", GitBusyError), ("first", LeftOutError)])
def test_a_record_that_another_run_writes_twice_is_not_left_out(
    root: Path, now: str, error: type[GitError]
) -> None:
    """The first content was staged, the second is in the commit."""
    path = write(root, "ea.json", "first")
    run(root, "add", "ea.json")
    with repository_of(root) as repo:
        assert repo is not None
        staged = repo.staged(["ea.json"])
        path.write_text("second")
        run(root, "commit", "-q", "-a", "-m", "records")
        path.write_text(now)
        with pytest.raises(error):
            check_committed(repo, "HEAD", ["ea.json"], staged)


@pytest.mark.parametrize(
    "said",
    [
        "fatal: Unable to create '/w/.git/index.lock': File exists.",
        "fatal: cannot lock ref 'HEAD': is at 501a947 but expected 874162a",
        "error: pathspec 'records/a/ea.json' did not match any file(s) known to git",
    ],
)
def test_what_another_git_process_does_is_worth_another_try(said: str) -> None:
    with pytest.raises(GitBusyError), explained("git commit"):
        raise gitpython().GitCommandError("git commit", 128, said)


@pytest.mark.parametrize("ignored", ["records/", "*.json", "records/*/17.json"])
def test_many_records_of_which_git_ignores_some(root: Path, ignored: str) -> None:
    """Git is asked for the folders of many files, and may answer with a folder."""
    write(root, ".gitignore", f"{ignored}\n")
    paths = [write(root, f"records/{n % 3}/{n}.json", "{}") for n in range(40)]
    with pytest.raises(GitError, match="git-ignored"):
        git.commit(root, paths, TEXT)


def test_many_records_are_committed_without_the_files_beside_them(root: Path) -> None:
    paths = [write(root, f"records/{n % 3}/{n}.json", "{}") for n in range(40)]
    git.commit(root, paths, TEXT)
    other, left = write(root, "records/1/note.json", "{}"), write(root, "records/2/99.json", "{}")
    run(root, "add", str(left))
    paths[0].unlink()
    for path in paths[1:]:
        path.write_text("[]")
    made = git.commit(root, paths, TEXT)
    changed = run(root, "show", "--name-status", "--format=", made).splitlines()
    names = [
        (("D" if path == paths[0] else "M"), path.relative_to(root).as_posix()) for path in paths
    ]
    assert sorted(changed) == sorted(f"{kind}\t{name}" for kind, name in names)
    status = run(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(status) == [
        f"?? {other.relative_to(root).as_posix()}",
        f"A  {left.relative_to(root).as_posix()}",
    ]


def test_ignored_records_are_told(root: Path) -> None:
    write(root, ".gitignore", "records/\n")
    with pytest.raises(GitError, match="git-ignored"):
        git.commit(root, [write(root, "records/a/ea.json", "{}\n")], TEXT)


def test_the_index_is_free_while_a_hook_runs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as that takes: a kill of git then would leave the lock there for good."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    staged = write(root, "staged.yaml", "by the hook\n")
    hook(root, f"unset GIT_INDEX_FILE\ngit add {staged}")
    git.commit(root, [write(root, "records/r/ea.json", "{}\n")], TEXT)
    assert run(root, "show", "--name-only", "--format=") == "records/r/ea.json"
    assert run(root, "status", "--porcelain") == "A  staged.yaml"
    assert list(scratch.iterdir()) == []


def test_no_room_for_what_a_commit_needs_is_told(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(GitError, match="git commit failed: No such file or directory") as caught:
        git.commit(root, [write(root, "records/r/ea.json", "{}\n")], TEXT)
    assert "The records are written" in caught.value.hint


def test_outside_a_repository(tmp_path: Path) -> None:
    assert git.head(tmp_path) == ""
    assert git.changed(tmp_path, [tmp_path]) == ()
    with pytest.raises(GitError, match="not in a git repository"):
        git.commit(tmp_path, [write(tmp_path, "records/a/ea.json", "{}\n")], TEXT)


OTHER_RUN = """\
#!/bin/sh
# A filter of `git add`: another run commits the file before this one does.
content=$(mktemp) && cat > "$content" && cat "$content"
[ "$(git log -1 --format=%s)" = first ] || exit 0
export GIT_INDEX_FILE=$(mktemp -u)
git read-tree HEAD
blob=$(git hash-object -w --no-filters "$content")
git update-index --add --cacheinfo "100644,$blob,records/a/ea.json"
commit=$(git commit-tree -p HEAD -m other "$(git write-tree)")
git update-ref HEAD "$commit"
"""


@pytest.mark.parametrize("more", [False, True])
def test_what_another_run_commits_meanwhile_is_no_error(
    root: Path, tmp_path: Path, more: bool
) -> None:
    script = write(tmp_path, "other-run", OTHER_RUN)
    script.chmod(0o755)
    run(root, "config", "filter.other.clean", str(script))
    run(root, "config", "user.name", "other")
    run(root, "config", "user.email", "other@example.org")
    write(root, ".git/info/attributes", "ea.json filter=other\n")
    paths = [write(root, "records/a/ea.json", "{}\n")]
    paths += [write(root, "records/a/eb.json", "{}\n")] if more else []
    made = git.commit(root, paths, TEXT)
    subjects = ["Record one image set"] if more else []
    assert run(root, "log", "--format=%s").splitlines() == [*subjects, "other", "first"]
    assert made == (run(root, "rev-parse", "HEAD") if more else "")
    assert run(root, "status", "--short") == ""


def test_what_changed_is_looked_for_in_the_given_paths_alone(root: Path) -> None:
    write(root, "manifest.yaml", "edited\n")
    assert git.changed(root, [root / "records"]) == ()
    assert git.changed(root, [root / "manifest.yaml"]) != ()


def holds(root: Path, *names: str) -> bool | None:
    """Whether the commit holds reconciler.yaml and these manifests, and no other manifest."""
    files = [root / "reconciler.yaml", *(root / "manifests" / name for name in names)]
    return git.holds(root, files, lambda path: path.suffix == ".yaml", root / "manifests")


@pytest.fixture
def clean(root: Path) -> Path:
    """A repository whose commit holds the settings and two manifests."""
    for name in ("reconciler.yaml", "manifests/a.yaml", "manifests/deep/b.yaml"):
        write(root, name, f"{name}\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "manifests")
    assert holds(root, "a.yaml", "deep/b.yaml") is True
    return root


BOTH = ("a.yaml", "deep/b.yaml")


@pytest.mark.parametrize("name", ["reconciler.yaml", "manifests/a.yaml", "manifests/deep/b.yaml"])
@pytest.mark.parametrize("hidden", ["", "--assume-unchanged", "--skip-worktree"])
def test_an_edited_file_is_not_held(clean: Path, name: str, hidden: str) -> None:
    if hidden:
        run(clean, "update-index", hidden, name)
    write(clean, name, "edited\n")
    assert holds(clean, *BOTH) is False
    if not hidden:
        run(clean, "add", name)
        assert holds(clean, *BOTH) is False, "staged is not committed"


@pytest.mark.parametrize("ignored", [False, True])
def test_an_untracked_manifest_is_not_held(clean: Path, ignored: bool) -> None:
    if ignored:
        write(clean, ".git/info/exclude", "new.yaml\n")
    write(clean, "manifests/new.yaml", "new\n")
    assert holds(clean, *BOTH, "new.yaml") is False


def test_a_manifest_that_is_not_read_is_held_by_the_commit_alone(clean: Path) -> None:
    (clean / "manifests" / "a.yaml").unlink()
    assert holds(clean, "deep/b.yaml") is False


def test_other_files_do_not_matter(clean: Path) -> None:
    write(clean, "manifests/README.md", "new\n")
    write(clean, "manifest.yaml", "edited\n")
    write(clean, "records/a/ea.json", "{}\n")
    assert holds(clean, *BOTH) is True


def test_line_endings_and_filters_of_git_do_not_matter(clean: Path) -> None:
    write(clean, "manifests/a.yaml", "manifests/a.yaml\r\n")
    assert holds(clean, *BOTH) is True
    run(clean, "config", "filter.rot.smudge", "tr a-z n-za-m")
    write(clean, ".git/info/attributes", "*.yaml filter=rot\n")
    write(clean, "manifests/a.yaml", "znavsrfgf/n.lnzy\n")
    assert holds(clean, *BOTH) is True
    write(clean, "manifests/a.yaml", "znavsrfgf/o.lnzy\n")
    assert holds(clean, *BOTH) is False


def test_a_link_is_held_with_its_target(clean: Path) -> None:
    (clean / "manifests" / "link.yaml").symlink_to("a.yaml")
    assert holds(clean, *BOTH, "link.yaml") is False
    run(clean, "add", ".")
    run(clean, "commit", "-q", "-m", "link")
    assert holds(clean, *BOTH, "link.yaml") is True
    write(clean, "manifests/a.yaml", "edited\n")
    assert holds(clean, "deep/b.yaml", "link.yaml") is False


def test_a_file_outside_of_the_tree_is_not_held(clean: Path, tmp_path: Path) -> None:
    other = write(tmp_path, "other.yaml", "x\n")
    assert git.holds(clean, [other], lambda _: False, clean / "manifests") is False


def test_the_folder_may_be_the_root(clean: Path) -> None:
    files = [clean / "reconciler.yaml", clean / "manifest.yaml"]
    files += [clean / "manifests" / name for name in BOTH]
    is_yaml = lambda path: path.suffix == ".yaml"  # noqa: E731
    assert git.holds(clean, files, is_yaml, clean) is True
    assert git.holds(clean, files[:-1], is_yaml, clean) is False


def test_without_a_commit_nothing_is_held_and_without_git_nothing_is_known(tmp_path: Path) -> None:
    write(tmp_path, "reconciler.yaml", "x\n")
    write(tmp_path, "manifests/a.yaml", "x\n")
    assert holds(tmp_path, "a.yaml") is None
    run(tmp_path, "init", "-q")
    assert holds(tmp_path, "a.yaml") is False


def test_a_message_for_people_and_programs() -> None:
    moved = [Moved("research", "b", "1", "2"), Moved("research", "a", "", "7")]
    text = git.message(moved, applied_commit="c0ffee", plan_digest="sha256:1")
    assert str(text) == (
        "Record 2 image sets at their new versions\n\n"
        "research/a at 7\nresearch/b 1 → 2\n\n"
        "Applied-Commit: c0ffee\nPlan-Digest: sha256:1\n"
    )


def test_a_message_of_one_and_of_none() -> None:
    one = git.message([Moved("r", "a", "1", "2")], applied_commit="", plan_digest="d")
    assert one.subject == "Record 1 image set at its new version"
    assert one.trailers == (("Plan-Digest", "d"),)
    none = git.message([], applied_commit="", plan_digest="")
    assert str(none) == "Drop records that no manifest asks for\n"


def test_a_message_states_a_tree_that_is_not_clean() -> None:
    text = git.message([], applied_commit="c0ffee", plan_digest="d", is_clean=False)
    assert text.trailers == (
        ("Applied-Commit", "c0ffee"),
        ("Applied-Tree", "not clean"),
        ("Plan-Digest", "d"),
    )
    clean = git.message([], applied_commit="c0ffee", plan_digest="d", is_clean=True)
    assert clean.trailers == (("Applied-Commit", "c0ffee"), ("Plan-Digest", "d"))


def test_a_long_body_tells_how_many_more() -> None:
    moved = [Moved("r", f"{n:032d}", "1", "2") for n in range(5000)]
    text = git.message(moved, applied_commit="", plan_digest="")
    assert text.subject.startswith("Record 5000 ")
    assert text.body.splitlines()[-1] == "and 4900 more"


def test_a_machine_without_git_has_no_commit(root: Path) -> None:
    """GitPython refuses to be imported there, so only a new process can show it."""
    program = (
        "import sys; from pathlib import Path; from reconciler.edges import git\n"
        "from reconciler.core.errors import GitError\n"
        "root = Path(sys.argv[1])\n"
        "assert git.head(root) == ''\n"
        "assert git.holds(root, [root / 'manifest.yaml'], bool, root) is None\n"
        "try:\n"
        "    git.commit(root, [root], git.message([], applied_commit='', plan_digest=''))\n"
        "except GitError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)],
        env={**os.environ, "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert "Install git. The records are written" in done.stdout


def test_what_git_would_not_commit_is_ignored(root: Path, tmp_path: Path) -> None:
    write(root, ".gitignore", "*.plan\n/own/\n")
    for name, ignored in (("a.plan", True), ("own/a.json", True), ("a.json", False)):
        (root / name).parent.mkdir(exist_ok=True)
        assert git.is_ignored(root / name) is ignored, name  # whether it is there or not
        assert git.is_ignored(write(root, name, "x")) is ignored, name
    run(root, "add", "--force", "a.plan")
    assert not git.is_ignored(root / "a.plan")
    assert git.is_ignored(tmp_path / "outside.json")
    for odd in (":(top)x", "*.plan?", "[a].json", "-q", "\u00e4 b"):
        assert not git.is_ignored(root / odd), odd


def test_the_commits_of_the_branch_with_their_files(root: Path) -> None:
    """A name in a pull request cannot look like another commit."""
    first = run(root, "rev-parse", "HEAD")
    run(root, "checkout", "-q", "-b", "request")
    odd = f"\n{'a' * 40}"
    write(root, odd, "1\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "of the request")
    run(root, "checkout", "-q", "main")
    run(root, "commit", "-q", "--allow-empty", "-m", "empty")
    empty = run(root, "rev-parse", "HEAD")
    run(root, "merge", "-q", "--no-ff", "-m", "merge", "request")
    merge = run(root, "rev-parse", "HEAD")
    tree = Path(os.path.realpath(root))
    expected = (git.Merged(merge, (tree / odd,)), git.Merged(empty, ()))
    assert git.merged(root, empty, 0) == expected
    all_of = (*expected, git.Merged(first, (tree / "manifest.yaml",)))
    assert git.merged(root, first, 0) == all_of
    assert git.merged(root, "", 0) == all_of
    assert git.merged(root, "", 4_000_000_000) == ()


@pytest.mark.parametrize("count", ["x", "1 ", "-1", "0x1", "1_0", "99999999999"])
def test_a_count_of_settings_that_is_no_number_is_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    """Git then runs no command at all; it must not look as if there were no commit."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    with pytest.raises(GitError, match="GIT_CONFIG_COUNT is not a number"):
        git.head(root)


def test_the_settings_that_the_environment_holds_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "")
    assert git.head(root)
    monkeypatch.setenv("GIT_CONFIG_COUNT", " 1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.https://example.org/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "host:")
    run(root, "remote", "add", "origin", "host:records.git")
    assert git.address(root, "origin") == "https://example.org/records.git"


@pytest.mark.parametrize(
    ("address", "token", "names", "leaves_out"),
    [
        ("https://127.0.0.1:1/records.git", "t", "the token RECONCILE_PUSH_TOKEN.", "set REC"),
        ("https://127.0.0.1:1/records.git", "", "set RECONCILE_PUSH_TOKEN", "SSH"),
        ("ssh://git@127.0.0.1:1/records.git", "t", "a key that the host accepts", "the token"),
        ("git@127.0.0.1:records.git", "", "a key that the host accepts", "the token"),
        ("http://127.0.0.1:1/records.git", "t", "is for https:// only", "SSH"),
        ("git://127.0.0.1:1/records.git", "", "is for https:// only", "SSH"),
        ("/nowhere/records.git", "t", "Check that the remote is there", "TOKEN"),
        ("file:///nowhere/records.git", "", "Check that the remote is there", "TOKEN"),
        ("nowhere/team:records.git", "", "Check that the remote is there", "TOKEN"),
    ],
)
def test_what_to_check_depends_on_the_kind_of_the_remote(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    token: str,
    names: str,
    leaves_out: str,
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    monkeypatch.setenv("no_proxy", "*")
    run(root, "remote", "add", "origin", address)
    with pytest.raises(GitError) as caught:
        git.fetch(root, git.Remote("origin", "main", token))
    assert names in caught.value.hint
    assert leaves_out not in caught.value.hint
    assert caught.value.hint.endswith("Then run the command again.")
