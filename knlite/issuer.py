"""Issues tokens of ServiceAccounts, and knows its own again.

The key is made when it is first needed and kept in the data folder, where there is one; without
one a run knows only its own tokens. Nothing here costs anything before.

Differs: there is one key, which does not change, and a token does not end with the object that it
was bound to.

Source: Kubernetes TokenRequest (the claims), "Service account issuer discovery"; RFC 7519 (JWT),
RFC 7517 (JWK), RFC 7518 §3.4 (ES256).
"""

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from knlite.errors import InvalidInput, Unauthenticated

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
"""Who issues, as on clusters; also to whom a token is addressed that names nobody."""
ALGORITHM: Final = "ES256"
KEYS_PATH: Final = "/openid/v1/jwks"
LIFETIME: Final = 3600
"""Seconds that a token is valid if nobody asks for another time."""
KEY_FILE: Final = "issuer.pem"

_RENEWED = 600
"""Seconds before their end at which our own tokens are made anew."""
_REMEMBERED = 1024
_LEEWAY = 10
"""Seconds by which clocks may differ."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a token says that has been found to be ours."""

    subject: str
    audiences: frozenset[str]
    begins: int
    ends: int


@dataclass(slots=True)
class _Memory:
    """What need not be computed again; bounded, and forgotten as a whole."""

    known: dict[str, _Known] = field(default_factory=dict)
    made: dict[tuple[str, str, str], tuple[int, str]] = field(default_factory=dict)
    """Tokens by namespace, account and audience, with when they end."""


class Issuer:
    """The issuer of one run."""

    def __init__(
        self,
        wall: Callable[[], datetime],
        folder: Path | None = None,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        """*complain* is told if a new key cannot be kept in *folder*."""
        self._wall = wall
        self._folder = folder
        self._complain = complain
        self._memory = _Memory()

    def require_usable(self) -> None:
        """Read the key that an earlier run has kept, if there is one. Blocks.

        Raises ``InvalidInput`` if it is none: better now than when an event comes.
        """
        if self._folder is not None and (self._folder / KEY_FILE).exists():
            _ = self._key

    def issue(
        self,
        namespace: str,
        account: str,
        audiences: Sequence[str] = (),
        seconds: int = LIFETIME,
        bound: Mapping[str, object] | None = None,
    ) -> str:
        """A new token of *account* for *audiences*; *bound* tells whose pod or Secret it is for."""
        # Costs a quarter of a second once, which only those pay who have tokens.
        import jwt

        issued = int(self._wall().timestamp())
        claims = {
            "aud": list(audiences) or [ISSUER],
            "exp": issued + seconds,
            "iat": issued,
            "iss": ISSUER,
            "kubernetes.io": {
                "namespace": namespace,
                **(bound or {}),
                "serviceaccount": {"name": account},
            },
            "nbf": issued,
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        headers = {"kid": self._public["kid"]}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)

    def of(self, namespace: str, account: str, audience: str) -> str:
        """A token of *account* that is valid for some time yet, the same for many events."""
        which = (namespace, account, audience)
        now = int(self._wall().timestamp())
        made = self._memory.made
        found = made.get(which)
        if found is not None and found[0] - now > _RENEWED:
            return found[1]
        token = self.issue(namespace, account, [audience])
        if len(made) >= _REMEMBERED:
            made.clear()
        made[which] = (now + LIFETIME, token)
        return token

    def subject(self, token: str, audience: str) -> str:
        """Whose *token* for *audience* it is. Raises ``Unauthenticated``."""
        known = self._memory.known.get(token) or self._checked(token)
        now = int(self._wall().timestamp())
        if now >= known.ends + _LEEWAY:
            raise Unauthenticated(f"its token has expired {now - known.ends} s ago")
        if now + _LEEWAY < known.begins:
            raise Unauthenticated("its token is not valid yet")
        if audience not in known.audiences:
            for_whom = ", ".join(sorted(known.audiences))
            raise Unauthenticated(f"its token is for the audience {for_whom}, not for {audience}")
        return known.subject

    def discovery(self, keys_url: str) -> dict[str, object]:
        """What ``/.well-known/openid-configuration`` says; *keys_url* is where the keys are."""
        return {
            "issuer": ISSUER,
            "jwks_uri": keys_url,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def keys(self) -> dict[str, object]:
        """The JSON Web Key Set with which anybody can check tokens."""
        return {"keys": [self._public]}

    def _checked(self, token: str) -> _Known:
        """What *token* says, which is ours. Raises ``Unauthenticated``."""
        import jwt

        try:
            # Times and audiences are looked at each time, also when it comes again.
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={
                    "require": ["exp", "nbf", "aud", "sub", "iss"],
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            given = claims["aud"]
            audiences = frozenset([given] if isinstance(given, str) else map(str, given))
            known = _Known(str(claims["sub"]), audiences, int(claims["nbf"]), int(claims["exp"]))
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError) as exc:
            raise Unauthenticated(f"its token is none that was issued here: {exc}") from exc
        if len(self._memory.known) >= _REMEMBERED:
            self._memory.known.clear()
        self._memory.known[token] = known
        return known

    @cached_property
    def _public(self) -> dict[str, Any]:
        """The public half of the key as a JSON Web Key."""
        from jwt.algorithms import ECAlgorithm

        shown: dict[str, Any] = dict(ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True))
        return {**shown, "kid": _thumbprint(shown), "use": "sig", "alg": ALGORITHM}

    @cached_property
    def _key(self) -> "EllipticCurvePrivateKey":
        """Raises ``InvalidInput`` if what is kept is no such key."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        path = None if self._folder is None else self._folder / KEY_FILE
        if path is not None and path.exists():
            try:
                kept = serialization.load_pem_private_key(path.read_bytes(), None)
            except (ValueError, TypeError, OSError) as exc:
                raise _unusable(path, str(exc)) from exc
            if not isinstance(kept, ec.EllipticCurvePrivateKey) or kept.curve.name != "secp256r1":
                raise _unusable(path, "it is not of the curve P-256")
            return kept
        key = ec.generate_private_key(ec.SECP256R1())
        if path is not None:
            text = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            try:
                _keep(path, text)
            except OSError as exc:
                self._complain(
                    f"the key of tokens cannot be kept in {path}, and ends with this run: {exc}"
                )
        return key


def _unusable(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"the key of tokens in {path} cannot be used",
        cause=why,
        fix="move the file away; a new key is made, and tokens that were issued are void",
    )


def _keep(path: Path, text: bytes) -> None:
    """Write a file that nobody else reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    draft.rename(path)


def _thumbprint(key: Mapping[str, Any]) -> str:
    """The id of *key* (RFC 7638)."""
    members = {name: key[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
