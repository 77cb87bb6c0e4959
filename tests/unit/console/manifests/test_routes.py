"""``/knlite/manifests``: all objects, one as YAML, and texts that are tried and applied."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from knlite.apiserver.beside import Beside
from knlite.console.manifests.conditions import ConditionHistory
from knlite.console.manifests.routes import Manifests
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.reconcile import Key
from knlite.registry.registry import Registry
from tests.unit.apiserver.asking import CONFIGMAPS, NOW, Client, config_map
from tests.unit.registry.desk import broker, registry

URL = "/knlite/manifests"
ONE = f"{URL}/core/v1/configmaps/default/x"
NEW = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: x
data:
  a: "1"
"""
FEATURE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: config-features
  namespace: knative-serving
data:
  kubernetes.podspec-nodeselector: {}
"""
PICKY = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: picky
spec:
  template:
    spec:
      nodeSelector:
        disk: fast
      containers:
        - image: example.com/picky
"""


@pytest.fixture
def desk() -> Registry:
    return registry()


@pytest.fixture
def places() -> dict[Key, tuple[str, int]]:
    return {}


@pytest.fixture
def client(desk: Registry, places: dict[Key, tuple[str, int]]) -> Client:
    manifests = Manifests(desk, places.get, ConditionHistory(lambda: NOW))
    return Client(desk, beside=Beside(routes=manifests.routes()))


def write(client: Client, text: str, **query: str) -> dict[str, Any]:
    answer = client.ask("POST", URL, text.encode(), {"Content-Type": "application/yaml"}, query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problems(client: Client, text: str, **query: str) -> list[tuple[int, str]]:
    found = write(client, text, dryRun="true", **query)
    return [(each["line"], each["message"]) for each in found["problems"]]


def actions(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["name"], each["action"]) for each in found["documents"]]


def opened(client: Client) -> tuple[str, dict[str, str]]:
    """The text of the ConfigMap, and what goes along when it comes back."""
    found = client.get(ONE).json()
    return found["yaml"], {"object": "core/v1/configmaps/default/x", "state": found["state"]}


def test_all_objects_are_listed_with_whose_they_are(client: Client, desk: Registry) -> None:
    desk.create(broker(), user="test")
    items = {(each["kind"], each["name"]): each for each in client.get(URL).json()["items"]}
    assert items["Broker", "b"]["own"] == ""
    assert items["Broker", "b"]["plural"] == "brokers"
    assert items["Namespace", "knative-serving"]["own"] == "platform"


def test_a_text_is_tried_before_it_is_applied(client: Client) -> None:
    tried = write(client, NEW, dryRun="true")
    assert (tried["applied"], actions(tried)) == (False, [("x", "created")])
    assert client.get(ONE).status_code == 404
    done = write(client, NEW)
    assert (done["applied"], actions(done)) == (True, [("x", "created")])
    assert actions(write(client, NEW)) == [("x", "unchanged")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("kind: [}", 1, "not valid YAML", id="syntax"),
        pytest.param("apiVersion: v1\nkind: Pot\n", 2, "no matches for kind", id="kind"),
        pytest.param(NEW + "dta: {}\n", 7, 'unknown field "dta"', id="field"),
        pytest.param(NEW.replace('"1"', "[]"), 6, "data.a", id="type"),
        pytest.param(NEW.replace("name: x", "name: X_"), 4, "metadata.name", id="name"),
        pytest.param(f"{NEW}---\n{NEW}", 11, "already defined at this text:1", id="twice"),
        pytest.param(
            NEW.replace("name: x", "name: x\n  namespace: gone"), 1, "gone", id="namespace"
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_line(
    client: Client, text: str, line: int, words: str
) -> None:
    found = problems(client, text)
    assert [at for at, _ in found] == [line]
    assert words in found[0][1]


def test_one_wrong_document_keeps_all_from_being_applied(client: Client) -> None:
    found = write(client, NEW + "---\nkind: Pot\napiVersion: v1\n")
    assert (found["applied"], found["documents"]) == (False, [])
    bad_name = NEW.replace("name: x", "name: Y_")
    assert write(client, f"{NEW}---\n{bad_name}")["applied"] is False
    assert client.get(ONE).status_code == 404


def test_a_text_may_make_the_namespace_of_its_objects(client: Client, desk: Registry) -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: new\n---\n" + NEW.replace(
        "name: x", "name: x\n  namespace: new"
    )
    assert problems(client, text) == []
    assert desk.at(Key(Namespace, "", "new")) is None
    assert write(client, text)["applied"]


def test_each_document_meets_what_those_before_it_have_changed(client: Client) -> None:
    text = f"{FEATURE}---\n{PICKY}"
    allowed, forbidden = text.format("enabled"), text.format("disabled")
    assert write(client, PICKY)["applied"] is False
    assert problems(client, allowed) == []
    assert write(client, allowed)["applied"] is True
    # Nor is the first half of a text applied which forbids the second.
    assert write(client, forbidden.replace("name: picky", "name: other"))["applied"] is False
    assert "enabled" in client.get(f"{URL}/core/v1/configmaps/knative-serving/config-features").text


def test_an_edited_object_is_replaced(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="1", b="2"))
    text, back = opened(client)
    done = write(client, text.replace("b: '2'\n", "").replace("'1'", "'5'"), **back)
    assert (done["applied"], actions(done)) == (True, [("x", "configured")])
    assert client.get(f"{CONFIGMAPS}/x").json()["data"] == {"a": "5"}


def test_nothing_is_overwritten_that_somebody_else_has_changed(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="1"))
    text, back = opened(client)
    client.patch(f"{CONFIGMAPS}/x", "merge-patch+json", {"data": {"a": "theirs"}})
    ((_, message),) = problems(client, text.replace("'1'", "'mine'"), **back)
    assert "changed by somebody else" in message
    assert write(client, text.replace("'1'", "'mine'"), **back)["applied"] is False
    assert client.get(f"{CONFIGMAPS}/x").json()["data"] == {"a": "theirs"}


def test_an_object_that_was_deleted_meanwhile_does_not_come_back(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="1"))
    text, back = opened(client)
    client.delete(f"{CONFIGMAPS}/x")
    ((_, message),) = problems(client, text, **back)
    assert "was deleted" in message


def test_what_others_own_is_a_conflict_at_its_line(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="theirs"))
    ((line, message),) = problems(client, NEW)
    assert line == 6
    assert "data.a: conflict with" in message
    assert "open the object itself" in message


def test_a_copy_under_another_name_is_made_beside_the_original(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="1"))
    text, back = opened(client)
    done = write(client, text.replace("name: x", "name: copy"), **back)
    assert actions(done) == [("copy", "created")]


def test_the_file_that_declares_an_object_is_named(
    client: Client, places: dict[Key, tuple[str, int]], tmp_path: Path
) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("# first\n" + NEW)
    write(client, NEW.replace('"1"', '"2"'))
    found = client.get(ONE).json()
    assert found["declared"] is None
    places[Key(ConfigMap, "default", "x")] = (str(file), 1)
    declared = client.get(ONE).json()["declared"]
    assert (declared["file"], declared["line"]) == (str(file), 2)
    assert declared["differences"] == [{"path": "data.a", "declared": "1", "now": "2"}]
    file.unlink()
    assert client.get(ONE).json()["declared"]["differences"] is None


def test_what_another_object_makes_says_so(client: Client, desk: Registry) -> None:
    owner = OwnerReference(api_version="v1", kind="Parent", name="p", uid="u", controller=True)
    meta = ObjectMeta(name="b", namespace="default", owner_references=(owner,))
    desk.create(Broker(metadata=meta), user="test")
    found = client.get(f"{URL}/eventing.knative.dev/v1/brokers/default/b").json()
    assert 'Parent "p" makes this object' in found["fixed"]


def test_values_of_a_secret_are_shown_to_who_asks_and_never_written_hidden(
    client: Client, desk: Registry
) -> None:
    meta = ObjectMeta(name="keys", namespace="default")
    desk.create(Secret(metadata=meta, data={"password": "aHVudGVyMg=="}), user="test")
    one = f"{URL}/core/v1/secrets/default/keys"
    hidden = client.get(one).json()
    assert hidden["hidden"]
    assert "aHVudGVyMg" not in hidden["yaml"]
    asked = client.get(f"{one}?secrets=true")
    assert "aHVudGVyMg" in asked.json()["yaml"]
    assert asked.headers["cache-control"] == "no-store"
    back = {"object": "core/v1/secrets/default/keys", "state": hidden["state"]}
    ((line, message),) = problems(client, hidden["yaml"], **back)
    assert "hidden" in message
    assert hidden["yaml"].splitlines()[line - 1].strip() == "password: (hidden)"


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for path in ("core/v1/configmaps/default/no", "core/v1/pots/default/x"):
        assert client.get(f"{URL}/{path}").status_code == 404


def test_too_many_objects_are_refused_at_the_first_that_is_too_much(client: Client) -> None:
    text = "---\n".join(NEW.replace("name: x", f"name: x{index}") for index in range(202))
    ((line, words),) = problems(client, text)
    assert (line, "200 objects" in words) == (1 + 200 * (NEW.count("\n") + 1), True)


def test_too_long_a_text_is_refused(client: Client) -> None:
    answer: httpx.Response = client.ask("POST", URL, b"#" * 600_000)
    assert answer.status_code == 413
