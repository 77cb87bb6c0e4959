"""The objects that pages show are taken as they stand there."""

import re
from typing import Any

import pytest
import yaml

from tests.e2e.eventspace import Space
from tests.e2e.executable import ROOT

pytestmark = pytest.mark.e2e

_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {"Secret": "secrets", "ConfigMap": "configmaps"}
PAGES = ("brokers", "sources")


def text_of(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def blocks() -> list[Any]:
    """What is shown on these pages, but for parts of objects."""
    return [
        pytest.param(documents, id=f"{page}-{number}")
        for page in PAGES
        for number, block in enumerate(_BLOCK.findall(text_of(page)))
        for documents in [list(yaml.safe_load_all(block))]
        if all("kind" in each for each in documents)
    ]


@pytest.mark.parametrize("documents", blocks())
def test_what_a_page_shows_is_taken(space: Space, documents: list[dict[str, Any]]) -> None:
    for document in documents:
        version = document["apiVersion"]
        root = "apis" if "/" in version else "api"
        plural = KINDS.get(document["kind"], document["kind"].lower() + "s")
        path = f"/{root}/{version}/namespaces/{space.namespace}/{plural}"
        document["metadata"].pop("namespace", None)
        answer = space.knlite.admin.post(f"{path}?fieldValidation=Strict", json=document)
        assert answer.status_code == 201, answer.text
