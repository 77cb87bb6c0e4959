"""Knative reference §1.2, §1.8: names and owners."""

import pytest

from knlite.kinds.fielderror import rendered
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.serving.metadata import name_errors, owner_errors, revision_name_errors

LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        (ObjectMeta(name="shop"), ""),
        (ObjectMeta(generate_name="shop-"), ""),
        (ObjectMeta(), "name or generateName is required: name"),
        (ObjectMeta(name="a.b"), f"not a DNS 1035 label: [{LABEL}]: name"),
        (ObjectMeta(name="1a"), f"not a DNS 1035 label: [{LABEL}]: name"),
        (
            ObjectMeta(name="A" * 64),
            f"not a DNS 1035 label: [must be no more than 63 characters {LABEL}]: name",
        ),
        (
            ObjectMeta(generate_name="a.b-"),
            f"not a DNS 1035 label prefix: [{LABEL}]: generateName",
        ),
    ],
)
def test_names_are_labels(meta: ObjectMeta, text: str) -> None:
    assert rendered(name_errors(meta)) == text


@pytest.mark.parametrize(
    ("name", "parent", "text"),
    [
        ("", ObjectMeta(name="shop"), ""),
        ("shop-v1", ObjectMeta(name="shop"), ""),
        ("shop", ObjectMeta(name="shop"), 'invalid value: "shop" must have prefix "shop-": name'),
        (
            "Shop-1",
            ObjectMeta(name="shop"),
            f"invalid value: not a DNS 1035 label: [{LABEL}]: name",
        ),
        ("x-1", ObjectMeta(generate_name="x-"), "must not set the field(s): name"),
        ("x-abc-1", ObjectMeta(name="x-abc", generate_name="x-"), ""),
    ],
)
def test_a_revision_is_named_after_its_parent(name: str, parent: ObjectMeta, text: str) -> None:
    assert rendered(revision_name_errors(ObjectMeta(name=name), parent)) == text


def test_a_template_may_begin_a_name() -> None:
    parent = ObjectMeta(name="shop")
    assert revision_name_errors(ObjectMeta(generate_name="shop-x-"), parent) == ()
    assert rendered(revision_name_errors(ObjectMeta(generate_name="X-"), parent)) == (
        f"invalid value: not a DNS 1035 label prefix: [{LABEL}]: generateName"
    )


def test_the_label_of_a_parent_is_not_for_everyone() -> None:
    owner = OwnerReference(api_version="v1", kind="Service", name="shop", uid="1")
    owned = ObjectMeta(labels={SERVICE: "shop"}, owner_references=(owner,))
    stray = ObjectMeta(labels={SERVICE: "other"}, owner_references=(owner,))
    assert owner_errors(owned, SERVICE, "Service") == ()
    assert owner_errors(ObjectMeta(), SERVICE, "Service") == ()
    assert rendered(owner_errors(stray, SERVICE, "Service")) == f"missing field(s): {SERVICE}"
