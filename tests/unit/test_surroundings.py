"""What a process inherits: which search paths stay, and which variables are credentials."""

from __future__ import annotations

import os

import pytest

from reconciler.edges.surroundings import absolute_only, is_credential


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        ("/usr/bin:", "/usr/bin"),
        (":/usr/bin", "/usr/bin"),
        ("/usr/bin::/bin", "/usr/bin:/bin"),
        (".:bin:../bin:/bin", "/bin"),
        ("", os.defpath),
        (".", os.defpath),
    ],
)
def test_programs_are_looked_up_in_absolute_folders_only(path: str, kept: str) -> None:
    assert absolute_only(path) == kept


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "aws_session_token",
        "BOTO_CONFIG",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "GITHUB_TOKEN",
        "RECONCILE_KEY",
        "RECONCILE_FINGERPRINTS",
        "DB_PASSWORD",
        "AZURE_CLIENT_SECRET",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GIT_PASSWORD",
    ],
)
def test_a_credential_is_known_by_its_name(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "SSH_AUTH_SOCK", "GNUPGHOME", "GIT_AUTHOR_NAME", "LAWS_OF", "KEYBOARD"),
        *("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "TOKENIZERS"),
    ],
)
def test_what_git_and_hooks_need_is_none(name: str) -> None:
    assert not is_credential(name)
