"""``docs/kubernetes.md`` lists the kinds that there are, by the names they have."""

import re
from pathlib import Path

from knlite.kinds.catalog import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "kubernetes.md"
_ROW = re.compile(r"^\| ([^|]+?) \| `([^`]+/v\w+)` \| ([^|]*?) ?\|", re.MULTILINE)


def test_the_page_lists_every_kind_with_its_resource_and_short_names() -> None:
    listed = {
        resource: (kind.removesuffix(" (core)"), set(re.findall(r"`(\w+)`", short)))
        for kind, resource, short in _ROW.findall(PAGE.read_text("utf-8"))
    }
    assert listed == {
        f"{info.resource}/{info.version}": (info.kind, set(info.short_names)) for info in KINDS
    }
