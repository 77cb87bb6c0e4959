"""Tokens of ServiceAccounts: their claims, and which are known again."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest

from knlite.errors import InvalidInput, Unauthenticated
from knlite.issuer import ISSUER, KEY_FILE, LIFETIME, Issuer

AUDIENCE = "eventing.knative.dev/broker/shop/default"
SUBJECT = "system:serviceaccount:shop:web"


class Wall:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def issuer(wall: Wall) -> Issuer:
    return Issuer(wall)


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_it_says_whose_it_is_as_on_a_cluster(issuer: Issuer) -> None:
    claims = claims_of(issuer.issue("shop", "web", ["vault"], bound={"pod": {"name": "web-1"}}))
    assert claims["sub"] == SUBJECT
    assert claims["aud"] == ["vault"]
    assert claims["iss"] == ISSUER
    assert claims["kubernetes.io"]["namespace"] == "shop"
    assert claims["kubernetes.io"]["pod"] == {"name": "web-1"}
    assert claims["kubernetes.io"]["serviceaccount"] == {"name": "web"}
    assert claims_of(issuer.issue("shop", "web"))["aud"] == [ISSUER]


def test_anybody_can_check_it_with_the_published_keys(issuer: Issuer, wall: Wall) -> None:
    token = issuer.issue("shop", "web", [AUDIENCE])
    keys = jwt.PyJWKSet.from_dict(issuer.keys())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    told = issuer.discovery("http://keys")
    algorithms = told["id_token_signing_alg_values_supported"]
    assert isinstance(algorithms, list)
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(
        token, key, algorithms=algorithms, audience=AUDIENCE, issuer=ISSUER, options=options
    )
    assert claims["sub"] == SUBJECT
    assert "d" not in issuer.keys()["keys"][0]  # type: ignore[index]


def test_it_is_known_again_until_it_expires(issuer: Issuer, wall: Wall) -> None:
    token = issuer.issue("shop", "web", ["other", AUDIENCE], seconds=600)
    assert issuer.subject(token, AUDIENCE) == SUBJECT
    wall.later(599)
    assert issuer.subject(token, AUDIENCE) == SUBJECT
    wall.later(60)
    with pytest.raises(Unauthenticated, match="has expired 59 s ago"):
        issuer.subject(token, AUDIENCE)
    with pytest.raises(Unauthenticated, match="has expired"):
        Issuer.subject(issuer, token, AUDIENCE)


def test_it_is_for_its_audience_only(issuer: Issuer) -> None:
    token = issuer.issue("shop", "web", ["vault"])
    with pytest.raises(Unauthenticated, match="for the audience vault, not for eventing"):
        issuer.subject(token, AUDIENCE)
    # Also when it is known already.
    assert issuer.subject(token, "vault") == SUBJECT
    with pytest.raises(Unauthenticated, match="for the audience vault"):
        issuer.subject(token, AUDIENCE)


def test_one_that_is_not_valid_yet_waits(issuer: Issuer, wall: Wall) -> None:
    token = issuer.issue("shop", "web", [AUDIENCE])
    wall.later(-3600)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        issuer.subject(token, AUDIENCE)


def encoded(value: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def test_what_is_forged_is_not_known(issuer: Issuer, wall: Wall) -> None:
    head, claims, signature = issuer.issue("shop", "web", [AUDIENCE]).split(".")
    other = encoded({**claims_of(f".{claims}."), "sub": "system:serviceaccount:shop:admin"})
    middle = len(signature) // 2
    flipped = "A" if signature[middle] != "A" else "B"
    public = encoded({"alg": "HS256", "typ": "JWT"})
    forged = {
        "other claims": f"{head}.{other}.{signature}",
        "corrupt": f"{head}.{claims}.{signature[:middle]}{flipped}{signature[middle + 1 :]}",
        "unsigned": f"{encoded({'alg': 'none'})}.{claims}.",
        "another algorithm": f"{public}.{claims}.{signature}",
        "of another issuer": Issuer(wall).issue("shop", "web", [AUDIENCE]),
        "nothing": "",
        "garbage": "a.b.c",
        "nested": f"{'W1tb' * 20_000}.{claims}.{signature}",
        "surrogate": "\ud800.a.b",
        "binary": "\x00.\xff.é",
        "huge": "a" * 100_000,
    }
    for token in forged.values():
        with pytest.raises(Unauthenticated, match="none that was issued here"):
            issuer.subject(token, AUDIENCE)


def test_senders_use_one_token_for_many_events(issuer: Issuer, wall: Wall) -> None:
    token = issuer.of("shop", "web", AUDIENCE)
    assert issuer.subject(token, AUDIENCE) == SUBJECT
    wall.later(LIFETIME / 2)
    assert issuer.of("shop", "web", AUDIENCE) == token
    assert issuer.of("shop", "web", "vault") != token
    wall.later(LIFETIME / 2 - 60)
    renewed = issuer.of("shop", "web", AUDIENCE)
    assert renewed != token
    wall.later(600)
    assert issuer.subject(renewed, AUDIENCE) == SUBJECT


def test_a_data_folder_keeps_the_key_to_itself(wall: Wall, tmp_path: Path) -> None:
    token = Issuer(wall, tmp_path).issue("shop", "web", [AUDIENCE])
    assert Issuer(wall, tmp_path).subject(token, AUDIENCE) == SUBJECT
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_nothing_is_made_before_somebody_needs_it(wall: Wall, tmp_path: Path) -> None:
    Issuer(wall, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", [b"", b"no key", b"\x00" * 40])
def test_a_key_that_cannot_be_used_is_told(wall: Wall, tmp_path: Path, text: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(text)
    with pytest.raises(InvalidInput, match=r"issuer\.pem cannot be used"):
        Issuer(wall, tmp_path).require_usable()


def test_a_folder_that_takes_no_key_is_told_and_tokens_work_all_the_same(
    wall: Wall, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.write_text("not a folder")
    told: list[str] = []
    issuer = Issuer(wall, folder, told.append)
    assert issuer.subject(issuer.issue("shop", "web", [AUDIENCE]), AUDIENCE) == SUBJECT
    assert len(told) == 1
    assert "ends with this run" in told[0]
