"""Every mistake has a file and a line, and YAML is read as kubectl reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.manifests.documents import Complaint, Manifest, parse


def documents(text: str) -> list[Manifest | Complaint]:
    return list(parse(text, "a.yaml"))


def tree(text: str) -> object:
    (document,) = documents(text)
    assert isinstance(document, Manifest)
    return document.tree


def complaint(text: str) -> str:
    return str(next(each for each in documents(text) if isinstance(each, Complaint)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: 1", 1, id="integer"),
        pytest.param("a: 0o17", 15, id="octal"),
        pytest.param("a: 017", 15, id="old octal"),
        pytest.param("a: -0x1F", -31, id="negative hexadecimal"),
        pytest.param("a: 1_000", 1000, id="underscores"),
        pytest.param("a: 1.5", 1.5, id="float"),
        pytest.param("a: 1e3", 1000.0, id="exponent without a dot"),
        pytest.param("a: '1'", "1", id="quoted number is text"),
        pytest.param("a: yes", True, id="YAML 1.1 truth"),
        pytest.param("a: ~", None, id="null"),
        pytest.param("a: 2026-01-02", "2026-01-02", id="a date is text"),
        pytest.param("a: 1:30", "1:30", id="no sexagesimal numbers"),
        pytest.param("a: 1.2.3", "1.2.3", id="a version is text"),
        pytest.param("a: .inf", ".inf", id="no infinity in JSON"),
        pytest.param("a: |\n  x\n  y\n", "x\ny\n", id="block text"),
    ],
)
def test_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    assert tree(text) == {"a": value}


def test_merge_keys_fill_in_what_is_not_set() -> None:
    text = "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n"
    assert tree(text) == {"base": {"x": 1, "y": 2}, "use": {"x": 1, "y": 3}}


def test_empty_documents_are_passed_over() -> None:
    assert len(documents("---\n---\na: 1\n---\n# only a comment\n")) == 1


def test_every_field_knows_its_line() -> None:
    (document,) = documents("a:\n  b:\n    - c: 1\n    - c: 2\n")
    assert isinstance(document, Manifest)
    assert document.line_of("a.b[1].c") == 4
    assert document.line_of("a.b[1].missing.deeper") == 4
    assert document.line_of("") == 1


def test_the_items_of_a_list_are_documents_with_their_lines() -> None:
    text = "kind: List\nitems:\n  - kind: A\n    x: 1\n  - kind: B\n    x: 2\n"
    items = [each for each in documents(text) if isinstance(each, Manifest)]
    assert [each.line for each in items] == [3, 5]
    assert items[1].line_of("x") == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: [1, 2\nb: 3\n", "a.yaml:2: not valid YAML", id="unclosed list"),
        pytest.param("a: 1\n\tb: 2\n", "a.yaml:2: not valid YAML", id="tab"),
        pytest.param(
            "a: 1\nb: 2\na: 3\n", 'a.yaml:3: key "a" is already set at line 1', id="twice"
        ),
        pytest.param("a: &x [*x]\n", "a.yaml:1: an alias contains itself", id="recursive alias"),
        pytest.param("? [1]\n: 2\n", "a.yaml:1: a key must be text", id="a list as key"),
        pytest.param("a: \x00", "a.yaml:1: not valid YAML", id="control character"),
        pytest.param(
            f"a: {'1' * 5000}", "a.yaml:1: the number has too many digits", id="many digits"
        ),
        pytest.param("a: 1e999", "a.yaml:1: the number is too large", id="too large"),
    ],
)
def test_what_cannot_be_read_is_a_complaint_with_its_line(text: str, expected: str) -> None:
    assert complaint(text).startswith(expected)


def test_aliases_cannot_blow_up_memory() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    assert "once its aliases are written out" in complaint(bomb)


def test_deep_nesting_is_refused() -> None:
    assert "nested deeper" in complaint("[" * 500 + "]" * 500)


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    for each in parse(text, "a.yaml"):
        assert isinstance(each, Manifest | Complaint)


def test_details_of_a_complaint_are_indented_below_its_line() -> None:
    assert str(Complaint("a.yaml", 3, "first\nmore")) == "a.yaml:3: first\n    more"
