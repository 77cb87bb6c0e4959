"""kn against knlite: Knative's own client, which compiles its paths in and waits by itself.

What the client asks for and how it shows answers: clients API reference, Part 8.
"""

import pytest

from tests.e2e.clients import HELLO, Client
from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e


def create(
    kn: Client, name: str, *options: str, target: str = "World", verb: str = "create"
) -> str:
    return kn(
        "service", verb, name, "--image", "example.com/hello", "--env", f"TARGET={target}",
        "--annotation-revision", f"knlite.dev/command={HELLO}", *options,
    )  # fmt: skip


def said(knlite: Knlite, host: str) -> str:
    answer = knlite.get(host)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_service_from_its_creation_to_its_end(kn: Client, knlite: Knlite) -> None:
    printed = create(kn, "simple")
    url = f"http://simple.default.localhost:{knlite.port}"
    assert (
        "Service 'simple' created to latest revision 'simple-00001' is available at URL" in printed
    )
    assert url in printed
    assert said(knlite, "simple.default") == "Hello World!\n"

    heading, *rows = kn("service", "list").splitlines()
    assert heading.split() == [
        "NAME", "URL", "LATEST", "AGE", "CONDITIONS", "READY", "REASON",
    ]  # fmt: skip
    row = next(row.split() for row in rows if row.startswith("simple "))
    assert (row[1], row[2], row[4:]) == (url, "simple-00001", ["3", "OK", "/", "3", "True"])

    described = kn("service", "describe", "simple")
    assert "100%  @latest (simple-00001) [1]" in described
    assert "++ Ready" in described
    assert url in kn("service", "describe", "simple", "-o", "url")

    assert "successfully deleted" in kn("service", "delete", "simple", "--wait")
    refused = kn.refused("service", "describe", "simple")
    assert refused.startswith('Error: services.serving.knative.dev "simple" not found')
    assert knlite.get("simple.default").status_code == 404


def test_an_update_makes_a_revision(kn: Client, knlite: Knlite) -> None:
    create(kn, "renewed")
    printed = kn("service", "update", "renewed", "--env", "TARGET=Moon", "--concurrency-limit", "5")
    assert "latest revision 'renewed-00002'" in printed
    assert said(knlite, "renewed.default") == "Hello Moon!\n"
    rows = kn("revision", "list", "-s", "renewed").splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [
        ["renewed-00002", "renewed"],
        ["renewed-00001", "renewed"],
    ]
    described = kn("revision", "describe", "renewed-00002")
    assert "Concurrency:" in described
    assert "++ Ready" in described
    assert "deleted" in kn("revision", "delete", "renewed-00001")


def test_applying_twice_changes_nothing(kn: Client) -> None:
    assert "latest revision 'applied-00001'" in create(kn, "applied", verb="apply")
    assert "unchanged" in create(kn, "applied", verb="apply")
    assert "applied-00002" in create(kn, "applied", target="Mars", verb="apply")


def test_traffic_is_split_and_tagged(kn: Client, knlite: Knlite) -> None:
    create(kn, "split", "--revision-name", "split-one", target="One")
    kn("service", "update", "split", "--env", "TARGET=Two", "--revision-name", "split-two")
    kn(
        "service", "update", "split", "--tag", "split-one=old", "--tag", "@latest=new",
        "--traffic", "old=50", "--traffic", "new=50",
    )  # fmt: skip
    assert said(knlite, "old-split.default") == "Hello One!\n"
    assert said(knlite, "new-split.default") == "Hello Two!\n"
    seen = {said(knlite, "split.default") for _ in range(60)}
    assert seen == {"Hello One!\n", "Hello Two!\n"}
    described = kn("service", "describe", "split")
    assert "50%  @latest (split-two) #new [2]" in described
    assert "50%  split-one #old [1]" in described
    kn("service", "update", "split", "--untag", "old", "--traffic", "@latest=100")
    assert {said(knlite, "split.default") for _ in range(20)} == {"Hello Two!\n"}
    assert knlite.get("old-split.default").status_code == 404


def test_routes_are_shown(kn: Client, knlite: Knlite) -> None:
    create(kn, "routed")
    rows = [row.split() for row in kn("route", "list").splitlines()]
    assert rows[0] == ["NAME", "URL", "READY"]
    assert ["routed", f"http://routed.default.localhost:{knlite.port}", "True"] in rows
    assert "100%  @latest (routed-00001)" in kn("route", "describe", "routed")


def test_a_domain_of_its_own(kn: Client, knlite: Knlite) -> None:
    create(kn, "shop")
    kn("domain", "create", "shop.example.org", "--ref", "ksvc:shop")
    wait_until(
        lambda: "True" in next(r for r in kn("domain", "list").splitlines() if "shop.ex" in r),
        "the domain",
    )
    assert "Service" in kn("domain", "describe", "shop.example.org")
    answer = knlite.http.get("/", headers={"Host": "shop.example.org"})
    assert answer.text == "Hello World!\n"
    kn("domain", "delete", "shop.example.org")
    wait_until(
        lambda: knlite.http.get("/", headers={"Host": "shop.example.org"}).status_code == 404,
        "the end of the domain",
    )


def test_a_service_that_has_failed_before_kn_waits_is_told_of(kn: Client) -> None:
    for number in range(5):
        refused = kn.refused("service", "create", f"nocode{number}", "--image", "example.com/none")
        assert "the image example.com/none needs a container engine" in refused


def test_a_service_that_cannot_start_is_told_of(kn: Client) -> None:
    refused = kn.refused(
        "service", "create", "failing", "--image", "example.com/failing",
        "--annotation-revision", "knlite.dev/command=false",
    )  # fmt: skip
    assert 'Error: RevisionFailed: Revision "failing-00001" failed with message:' in refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(
            ("--concurrency-limit", "5000"),
            "expected 0 <= 5000 <= 1000: spec.template.spec.containerConcurrency",
            id="out of bounds",
        ),
        pytest.param(
            ("--scale-min", "5", "--scale-max", "2"),
            "max-scale=2 is less than min-scale=5",
            id="scale",
        ),
        pytest.param(
            ("--service-account", "foo@bar.baz"),
            "invalid value: foo@bar.baz: spec.template.spec.serviceAccountName",
            id="service account",
        ),
    ],
)
def test_bad_input_is_refused_in_knatives_words(
    kn: Client, options: tuple[str, ...], said: str
) -> None:
    refused = kn.refused("service", "create", "bad", "--image", "example.com/bad", *options)
    assert refused.startswith("Error: ")
    assert said in refused
    assert '"bad" not found' in kn.refused("service", "describe", "bad")


def test_a_name_that_is_taken(kn: Client) -> None:
    create(kn, "taken")
    refused = kn.refused("service", "create", "taken", "--image", "example.com/hello")
    assert "the service already exists" in refused
    assert "replaced" in create(kn, "taken", "--force", target="Twice")


def test_brokers_triggers_and_bindings(kn: Client) -> None:
    create(kn, "heard")
    assert "successfully created" in kn("broker", "create", "events")
    kn("trigger", "create", "hears", "--broker", "events", "--sink", "ksvc:heard",
       "--filter", "type=com.example.greeting")  # fmt: skip
    wait_until(
        lambda: " True" in next(r for r in kn("trigger", "list").splitlines() if "hears" in r),
        "the trigger",
    )
    kn("source", "binding", "create", "bound", "--subject",
       "Service:serving.knative.dev/v1:heard", "--sink", "broker:events")  # fmt: skip
    wait_until(lambda: "bound" in kn("source", "binding", "list"), "the binding")
    refused = kn.refused("trigger", "create", "lost", "--broker", "events", "--sink", "ksvc:nobody")
    assert 'services.serving.knative.dev "nobody" not found' in refused
    kn("source", "binding", "delete", "bound")
    kn("trigger", "delete", "hears")
    kn("broker", "delete", "events")
