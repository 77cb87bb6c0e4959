"""A token that looks like a service account's (Knative reference §7.1 row 28)."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime

from knlite.serving.token import service_account_token


def test_it_has_three_parts_and_says_whose_it_is() -> None:
    token = service_account_token(
        "default", "web", "web-1", audience="vault", key=b"k", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    head, claims, signature = (
        urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
    )
    assert json.loads(head)["typ"] == "JWT"
    assert json.loads(claims)["sub"] == "system:serviceaccount:default:web"
    assert json.loads(claims)["aud"] == ["vault"]
    assert len(signature) == 32
