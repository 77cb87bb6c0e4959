"""What is said of fields, and of structs by their docstrings."""

from knlite.apiserver.fieldtexts import TEXTS, description_of
from knlite.kinds.meta import Fields


class Probe(Fields):
    """A probe. ``period_seconds`` 0 means *often*."""


class Silent(Fields):
    pass


def test_a_struct_is_described_by_its_docstring_in_names_of_manifests() -> None:
    assert description_of(Probe, "") == "A probe. periodSeconds 0 means often."
    assert description_of(Silent, "") == ""


def test_a_field_of_one_struct_comes_before_the_field_of_any() -> None:
    assert description_of(Probe, "timeoutSeconds") == TEXTS["Probe.timeoutSeconds"]
    assert description_of(Silent, "timeoutSeconds") == TEXTS["timeoutSeconds"]
    assert description_of(Silent, "nonsense") == ""


def test_texts_are_sentences() -> None:
    assert [text for text in TEXTS.values() if not text.endswith(".")] == []
