"""Credentials from imagePullSecrets (Kubernetes' two Secret types for them)."""

import json
from base64 import b64encode

import pytest

from knlite.kinds.core.secret import Secret
from knlite.serving.pullsecrets import credentials


def secret(key: str, text: str) -> Secret:
    return Secret(data={key: b64encode(text.encode()).decode()})


ENTRY = {"auth": b64encode(b"me:pass:word").decode()}
JSON = secret(".dockerconfigjson", json.dumps({"auths": {"https://reg.io/v2/": ENTRY}}))
OLD = secret(".dockercfg", json.dumps({"docker.io": {"username": "me", "password": "x"}}))


def test_the_registry_of_the_image_decides() -> None:
    known = {"username": "me", "password": "pass:word"}
    assert credentials("reg.io/a:1", (OLD, JSON)) == known
    assert credentials("a", (JSON, OLD)) == {"username": "me", "password": "x"}
    assert credentials("other.io/a", (JSON, OLD)) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"auths": []}', '{"auths": {"reg.io": 1}}'])
def test_what_cannot_be_read_is_no_credential(text: str) -> None:
    assert credentials("reg.io/a", (secret(".dockerconfigjson", text), Secret())) is None
