"""HTTPS of a mapped domain by the real executable (Knative reference §1.13, §5.6, §5.7)."""

import base64
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from websockets.sync.client import ClientConnection, connect

from tests.e2e.executable import PATIENCE, Knlite, free_port, wait_until
from tests.e2e.served import Served

pytestmark = pytest.mark.e2e

DOMAINS = "/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings"
SECRETS = "/api/v1/namespaces/default/secrets"
PROTOCOL = "networking.knative.dev/http-protocol"


class Site:
    """A running knlite whose services have domains with certificates."""

    def __init__(
        self,
        up: Callable[..., Knlite],
        folder: Path,
        *services: Served,
        options: Sequence[str] = (),
    ) -> None:
        self.authority = trustme.CA()
        self.tls_port = free_port()
        for service in services:
            (folder / f"{service.name}.json").write_text(service.manifest("process"))
        port = ("--tls-port", str(self.tls_port))
        self._start = lambda: up(folder, "--runtime", "process", *port, *options)
        self.start()

    def start(self) -> None:
        """Start one more knlite, when the one before has ended."""
        self.knlite = self._start().settled()

    def certify(self, host: str) -> bytes:
        """Have a Secret with a new certificate of *host*; returns its key."""
        leaf = self.authority.issue_cert(host)
        key = leaf.private_key_pem.bytes()
        self.keep(host, b"".join(each.bytes() for each in leaf.cert_chain_pems), key)
        return key

    def keep(self, host: str, chain: bytes, key: bytes) -> None:
        """Have these in the Secret for *host*."""
        name = host.replace(".", "-")
        entries = {"tls.crt": chain, "tls.key": key}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": name},
            "data": {key: base64.b64encode(value).decode() for key, value in entries.items()},
        }
        found = self.knlite.admin.get(f"{SECRETS}/{name}").status_code == 200
        if found:
            patch = json.dumps({"data": secret["data"]})
            answer = self.knlite.admin.patch(
                f"{SECRETS}/{name}",
                content=patch,
                headers={"Content-Type": "application/merge-patch+json"},
            )
        else:
            answer = self.knlite.admin.post(SECRETS, json=secret)
        assert answer.is_success, answer.text

    def map(self, host: str, service: str, **annotations: str) -> None:
        """Map *host* to *service*."""
        answer = self.knlite.admin.post(
            DOMAINS,
            json={
                "apiVersion": "serving.knative.dev/v1beta1",
                "kind": "DomainMapping",
                "metadata": {"name": host, "annotations": annotations},
                "spec": {
                    "ref": {
                        "apiVersion": "serving.knative.dev/v1",
                        "kind": "Service",
                        "name": service,
                    },
                    "tls": {"secretName": host.replace(".", "-")},
                },
            },
        )
        assert answer.is_success, answer.text
        assert "warning" not in answer.headers

    def ready(self, host: str) -> tuple[str, str]:
        """Status and reason of the mapping's Ready."""
        found = self.knlite.ready(f"{DOMAINS}/{host}")
        return found.get("status", ""), found.get("reason", "")

    def until_ready(self, host: str) -> None:
        wait_until(lambda: self.ready(host)[0] == "True", f"{host} is ready")

    def serial(self, host: str) -> str:
        """What tells the certificate that clients get from another."""
        client = ssl.create_default_context()
        self.authority.configure_trust(client)
        with (
            socket.create_connection(("127.0.0.1", self.tls_port), PATIENCE) as raw,
            client.wrap_socket(raw, server_hostname=host) as secured,
        ):
            found = secured.getpeercert()
            assert found is not None
            return str(found["serialNumber"])

    def curl(self, url: str, folder: Path, *options: str) -> str:
        """What curl gets."""
        bundle = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(bundle))
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        ports = (self.tls_port, self.knlite.port)
        named = [word for port in ports for word in ("--resolve", f"{host}:{port}:127.0.0.1")]
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", str(bundle), *named,
             *options, url],
            capture_output=True, check=True, text=True, timeout=PATIENCE,
        ).stdout  # fmt: skip


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """A folder of its own, that knlite does not read."""
    (tmp_path / "services").mkdir()
    return tmp_path


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_way_of_a_certificate(up: Callable[..., Knlite], trusted: Path) -> None:
    host = "app.example.org"
    site = Site(up, trusted / "services", Served(name="web", program="http1"))
    knlite = site.knlite
    assert not listens(site.tls_port)
    site.map(host, "web")
    wait_until(
        lambda: site.ready(host) == ("Unknown", "CertificateNotReady"), "the Secret is missed"
    )
    assert not listens(site.tls_port)

    keys = [site.certify(host)]
    site.until_ready(host)
    url = knlite.object(f"{DOMAINS}/{host}")["status"]["url"]
    assert url == f"https://{host}:{site.tls_port}"
    told = json.loads(site.curl(f"{url}/headers?a=b", trusted))
    headers = told["headers"]
    assert headers["x-forwarded-proto"] == "https"
    assert headers["host"] == f"{host}:{site.tls_port}"
    version = site.curl(
        f"{url}/", trusted, "--output", "/dev/null", "--write-out", "%{http_version}"
    )
    assert version == "2"
    assert knlite.http.get("/", headers={"Host": host}).status_code == 200

    before = site.serial(host)
    keys.append(site.certify(host))
    wait_until(lambda: site.serial(host) != before, "the new certificate")
    site.keep(host, b"no certificate", keys[-1])
    wait_until(
        lambda: site.ready(host) == ("False", "CertificateProvisionFailed"), "the mistake is said"
    )
    wait_until(lambda: not listens(site.tls_port), "nothing listens without a certificate")
    keys.append(site.certify(host))
    site.until_ready(host)
    assert listens(site.tls_port)

    events = knlite.admin.get("/api/v1/namespaces/default/events").text
    mapping = knlite.admin.get(f"{DOMAINS}/{host}").text
    assert knlite.admin.delete(f"{DOMAINS}/{host}").is_success
    wait_until(lambda: not listens(site.tls_port), "it goes with the mapping")
    assert knlite.stop() == 0
    said = f"{knlite.facts}{knlite.stderr}{events}{mapping}"
    for key in keys:
        secret = key.decode().splitlines()[1]
        assert secret not in said
        assert base64.b64encode(key).decode()[40:80] not in said


def test_redirected_and_the_certificate_by_name(up: Callable[..., Knlite], trusted: Path) -> None:
    site = Site(up, trusted / "services", Served(name="web", program="http1"))
    hosts = ("one.example.org", "two.example.org")
    for host in hosts:
        site.certify(host)
        site.map(host, "web", **{PROTOCOL: "Redirected"})
    for host in hosts:
        site.until_ready(host)
    assert site.serial(hosts[0]) != site.serial(hosts[1])
    answer = site.knlite.http.get("/a?b", headers={"Host": hosts[0]})
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{hosts[0]}:{site.tls_port}/a?b"
    followed = site.curl(
        f"http://{hosts[0]}:{site.knlite.port}/", trusted,
        "--location", "--output", "/dev/null", "--write-out", "%{http_code} %{scheme}",
    )  # fmt: skip
    assert followed.lower() == "200 https"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://localhost:{site.tls_port}/", verify=False, trust_env=False)


def test_a_later_run_goes_on_with_the_certificate(up: Callable[..., Knlite], trusted: Path) -> None:
    host, keeping = "app.example.org", ("--data-dir", str(trusted / "data"))
    site = Site(up, trusted / "services", Served(name="web", program="http1"), options=keeping)
    site.certify(host)
    site.map(host, "web-2")
    wait_until(lambda: site.ready(host)[1] == "ResolveFailed", "it leads nowhere")
    assert not listens(site.tls_port), "what leads nowhere needs no certificate"
    second = Served(name="web-2", program="http1").manifest("process")
    (trusted / "services" / "web-2.json").write_text(second)
    site.until_ready(host)
    before = site.serial(host)
    assert site.knlite.stop() == 0
    assert not listens(site.tls_port)
    site.start()
    site.until_ready(host)
    wait_until(lambda: listens(site.tls_port), "the port is open again")
    assert site.serial(host) == before


def test_grpc_and_websocket_over_tls(up: Callable[..., Knlite], trusted: Path) -> None:
    site = Site(
        up,
        trusted / "services",
        Served(name="echo", program="grpc", port="h2c"),
        Served(name="socket", program="websocket"),
    )
    for host, service in (("grpc.example.org", "echo"), ("ws.example.org", "socket")):
        site.certify(host)
        site.map(host, service)
        site.until_ready(host)
    credentials = grpc.ssl_channel_credentials(site.authority.cert_pem.bytes())
    options = (
        ("grpc.ssl_target_name_override", "grpc.example.org"),
        ("grpc.enable_http_proxy", 0),
    )
    address = f"127.0.0.1:{site.tls_port}"
    with grpc.secure_channel(address, credentials, options=options) as channel:
        chat = channel.stream_stream("/test.Echo/Chat")
        assert list(chat(iter([b"a", b"b"]), timeout=PATIENCE)) == [b"A", b"B"]
    with websocket(site, "ws.example.org") as client:
        client.recv(PATIENCE)
        message = os.urandom(300_000)
        client.send(message)
        assert client.recv(PATIENCE) == message
    wait_until(lambda: site.knlite.logged("socket", "closed / 1000"), "the server heard of it")
    assert not site.knlite.stderr


@contextmanager
def websocket(site: Site, host: str) -> Iterator[ClientConnection]:
    client = ssl.create_default_context()
    site.authority.configure_trust(client)
    raw = socket.create_connection(("127.0.0.1", site.tls_port))
    url = f"wss://{host}:{site.tls_port}/"
    with connect(url, sock=raw, ssl=client, proxy=None, max_size=None) as connection:
        yield connection
