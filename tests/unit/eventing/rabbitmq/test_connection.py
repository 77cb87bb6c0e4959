"""Eventing data plane reference §9.4: where a server is, out of Secrets and ConfigMaps."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventing.rabbitmq.connection import (
    Unusable,
    of_cluster,
    of_entries,
    of_reference,
    of_secret,
    with_auth_secret,
)
from knlite.kinds.config.servers import SERVER_MAPS
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import LocalObjectReference
from tests.unit.fake_view import FakeView

HIDDEN = "s3cret-word"
ENTRIES = {"uri": "rabbit.example", "username": "shop", "password": HIDDEN}


def secret(name: str, namespace: str = "shop", **entries: str) -> Secret:
    data = {key: b64encode(value.encode()).decode() for key, value in entries.items()}
    return Secret(metadata=ObjectMeta(name=name, namespace=namespace), data=data)


def server(vhost: str = "", **entries: str) -> RabbitmqServer:
    return of_entries({**ENTRIES, **entries}, vhost, 'Secret "shop/r"', "shop", FakeView())


@pytest.mark.parametrize(
    ("uri", "host", "port", "tls"),
    [
        pytest.param("rabbit.example", "rabbit.example", 5672, False, id="host"),
        pytest.param("rabbit.example:15672", "rabbit.example", 5672, False, id="management"),
        pytest.param("http://rabbit.example:15672", "rabbit.example", 5672, False, id="http"),
        pytest.param("https://rabbit.example", "rabbit.example", 5672, True, id="https"),
        pytest.param("HTTPS://rabbit.example", "rabbit.example", 5672, True, id="large"),
        pytest.param("amqp://rabbit.example:5673", "rabbit.example", 5673, False, id="amqp"),
        pytest.param("amqps://rabbit.example", "rabbit.example", 5671, True, id="amqps"),
        pytest.param("amqp://[::1]:5673/", "::1", 5673, False, id="ipv6"),
    ],
)
def test_a_uri_says_host_and_encryption_and_that_of_the_server_the_port_too(
    uri: str, host: str, port: int, tls: bool
) -> None:
    found = server(uri=uri)
    assert (found.host, found.port, found.tls) == (host, port, tls)
    assert (found.username, found.password, found.vhost) == ("shop", HIDDEN, "/")


def test_the_key_port_counts_where_the_uri_says_none() -> None:
    assert server(uri="amqps://rabbit.example", port="5674").port == 5674
    assert server(uri="rabbit.example:15672", port="5674").port == 5674
    assert server(uri="amqp://rabbit.example:5673", port="5674").port == 5673


@pytest.mark.parametrize(
    ("vhost", "uri", "wanted"),
    [
        pytest.param("", "rabbit.example", "/", id="none"),
        pytest.param("/", "rabbit.example", "/", id="slash"),
        pytest.param("orders", "rabbit.example", "orders", id="name"),
        pytest.param("/orders", "rabbit.example", "orders", id="behind-a-slash"),
        pytest.param("", "amqp://rabbit.example/a%2fb", "a/b", id="of-the-uri"),
        pytest.param("orders", "amqp://rabbit.example/other", "orders", id="both"),
        pytest.param("/", "amqp://rabbit.example/other", "other", id="the-usual-one"),
        pytest.param("", "http://rabbit.example/api", "/", id="path-of-the-management"),
    ],
)
def test_a_virtual_host_may_have_a_slash_before_it(vhost: str, uri: str, wanted: str) -> None:
    assert server(vhost, uri=uri).vhost == wanted


def test_user_and_password_may_stand_in_the_uri() -> None:
    entries = {"uri": f"amqp://jo%40shop:{HIDDEN}@rabbit.example"}
    found = of_entries(entries, "", 'ConfigMap "shop/r"', "shop", FakeView())
    assert (found.username, found.password) == ("jo@shop", HIDDEN)


def test_those_in_the_uri_of_the_server_go_before_those_beside_it() -> None:
    """As --set says it beside the ConfigMap that is there from the start."""
    shipped = SERVER_MAPS["rabbitmq-broker-config"].data
    uri = f"amqps://jo:{HIDDEN}@rabbit.example/orders"
    found = of_entries({**shipped, "uri": uri}, shipped["vhost"], "it", "shop", FakeView())
    assert found == RabbitmqServer(
        host="rabbit.example",
        port=5671,
        tls=True,
        username="jo",
        password=HIDDEN,
        vhost="orders",
    )
    assert server(uri="http://jo:x@rabbit.example").username == "shop"


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        pytest.param(
            {"username": "a", "password": HIDDEN},
            'missing key uri in Secret "shop/r": the host of the server, or amqp://HOST:5672',
            id="uri",
        ),
        pytest.param(
            {"uri": "h", "username": "a"},
            'missing key password in Secret "shop/r": the password of who connects to the server',
            id="password",
        ),
        pytest.param(
            {**ENTRIES, "port": "amqp"},
            'port in Secret "shop/r" must be a number from 1 to 65535',
            id="port",
        ),
        pytest.param(
            {**ENTRIES, "uri": f"ftp://a:{HIDDEN}@h"},
            'uri in Secret "shop/r" must be a host, or begin with one of http://, https://,'
            " amqp://, amqps://",
            id="scheme",
        ),
        pytest.param(
            {**ENTRIES, "uri": "amqp://h:port"},
            'uri in Secret "shop/r" is no URI: write amqp://HOST:5672',
            id="no-uri",
        ),
        pytest.param(
            {**ENTRIES, "uri": "amqp://"},
            'uri in Secret "shop/r" names no host: write amqp://HOST:5672',
            id="no-host",
        ),
        pytest.param(
            {**ENTRIES, "uri": "amqp://a..b"},
            'uri in Secret "shop/r" names no host that there could be',
            id="bad-host",
        ),
        pytest.param(
            {**ENTRIES, "caSecretName": "ca"},
            'secrets "ca" not found in "shop", which caSecretName names',
            id="authority",
        ),
    ],
)
def test_says_what_is_missing_and_what_to_write(entries: dict[str, str], text: str) -> None:
    with pytest.raises(Unusable) as caught:
        of_entries(entries, "", 'Secret "shop/r"', "shop", FakeView())
    assert str(caught.value) == text


@given(
    entries=st.dictionaries(
        st.sampled_from(("uri", "port", "username", "password")),
        st.text(max_size=30).map(lambda text: text + HIDDEN),
    )
)
def test_whatever_stands_there_is_a_server_or_unusable_and_no_text_repeats_it(
    entries: dict[str, str],
) -> None:
    text = ""
    try:
        of_entries(entries, "", "it", "shop", FakeView())
    except Unusable as exc:
        text = str(exc)
    assert HIDDEN not in text


def test_a_password_does_not_show() -> None:
    assert HIDDEN not in repr(server())


def test_a_line_break_at_the_end_does_not_count_but_a_space_does() -> None:
    view = FakeView(secret("r", **{**ENTRIES, "password": " word \n"}))
    assert of_secret("shop", "r", "", "shop", view).password == " word "


def test_the_authority_of_a_server_is_in_a_secret_of_its_own() -> None:
    view = FakeView(secret("ca", **{"ca.crt": "PEM"}), secret("r", **ENTRIES, caSecretName="ca"))
    assert of_secret("shop", "r", "", "shop", view).ca == "PEM"


def test_a_cluster_is_known_by_the_secret_that_its_operator_makes() -> None:
    made = secret(
        "hello-default-user",
        "rabbit",
        host="hello.rabbit.svc",
        port="5671",
        username="default_user_x",
        password=HIDDEN,
        provider="rabbitmq",
    )
    reference = RabbitmqClusterReference(name="hello", namespace="rabbit")
    assert of_reference(reference, "v", "shop", FakeView(made)) == RabbitmqServer(
        host="hello.rabbit.svc",
        port=5671,
        tls=True,
        username="default_user_x",
        password=HIDDEN,
        vhost="v",
    )


def test_a_cluster_without_that_secret_is_told_what_to_do() -> None:
    with pytest.raises(Unusable) as caught:
        of_cluster("rabbit", "hello", "", FakeView())
    assert str(caught.value) == (
        'secrets "hello-default-user" not found in "rabbit": knlite runs no RabbitmqCluster; copy'
        " that Secret of a cluster here, or write one with the keys host, port, username and"
        " password"
    )


def test_a_reference_by_secret_is_in_its_own_namespace_or_that_of_its_object() -> None:
    view = FakeView(secret("r", **ENTRIES))
    reference = RabbitmqClusterReference(connection_secret=LocalObjectReference(name="r"))
    assert of_reference(reference, "", "shop", view).host == "rabbit.example"
    with pytest.raises(Unusable, match='secrets "r" not found in "other"'):
        of_reference(reference, "", "other", view)


def test_a_config_map_may_leave_its_secrets_to_a_secret() -> None:
    view = FakeView(secret("who", username="jo", password=HIDDEN))
    entries = {"uri": "h", "username": "guest", "auth.secret.ref.name": "who"}
    assert with_auth_secret(entries, "shop", view)["username"] == "jo"
    with pytest.raises(Unusable) as caught:
        with_auth_secret(entries, "other", view)
    assert str(caught.value) == (
        'secrets "who" not found in "other", which auth.secret.ref.name names'
    )
