"""The key of fingerprints, from the environment variable that reconciler.yaml names."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.settings import Settings
from reconciler.core.review.fingerprint import KEY_BYTES, FingerprintKey

_EXAMPLE = "RECONCILE_KEY"
_HEX = re.compile("[0-9A-Fa-f]+")
# Of 32 random bytes, about 30 differ. A placeholder or a repeated pattern has far fewer.
_FEWEST_VALUES = 16


def read(settings: Settings | None, environment: Mapping[str, str] = os.environ) -> FingerprintKey:
    """Read the key. Raises ReconcilerError, without the key, for a missing or unusable key."""
    if settings is None:
        raise ReconcilerError(
            "--fingerprints needs a reconciler.yaml, which names the variable with the key",
            "Change to the folder of the repository, or name the file with `--config FILE`.",
        )
    name = settings.fingerprint_key
    if not name:
        raise ReconcilerError(
            f"--fingerprints needs a key, and {settings.file} has no `fingerprintKey`",
            f"Add the line `fingerprintKey: {_EXAMPLE}`. {_how_to_make(_EXAMPLE)}",
        )
    secret = _decoded("".join(environment.get(name, "").split()))
    if problem := _problem(secret):
        message = f"the environment variable {name} {problem} (`fingerprintKey`)"
        raise ReconcilerError(message, _how_to_make(name))
    assert secret
    return FingerprintKey(secret)


def _how_to_make(name: str) -> str:
    return (
        f"Set {name} to the key that you use already. To make the first key:\n"
        f"export {name}=$(openssl rand -hex 32)\n"
        f"or: export {name}=$(python3 -c 'import secrets; print(secrets.token_hex(32))')"
    )


def _problem(secret: bytes | None) -> str:
    """Why a key cannot be used; "" if it can."""
    if secret is None:
        return "does not hold a key: it is neither hex nor base64"
    if not secret:
        return "is not set"
    if len(secret) < KEY_BYTES:
        return f"holds a key that is too short: it needs at least {KEY_BYTES} random bytes"
    if len(set(secret)) < _FEWEST_VALUES:
        return "holds a key that is not random: its bytes repeat"
    return ""


def _decoded(text: str) -> bytes | None:
    """The bytes of a key in hex or base64 (RFC 4648 sections 4 and 5); None for other text.

    A phrase is refused: who knows one live value and its fingerprint could guess the phrase.
    """
    try:
        if _HEX.fullmatch(text):
            return bytes.fromhex(text)
        standard = text.rstrip("=").replace("-", "+").replace("_", "/")
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
