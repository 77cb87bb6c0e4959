"""A RabbitMQ of the tests' own: ports, folders, name server (epmd), all apart from any other."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.e2e.executable import free_port, left_to_nobody, wait_until
from tests.required import missing
from tests.servers.certificates import Certificates, certificates_in
from tests.servers.server import Server, answered

DEBIAN = Path("/usr/lib/rabbitmq/bin")
"""The scripts as RabbitMQ publishes them; what Debian has on the PATH wants to be root and
becomes another user."""
GREETING = b"AMQP\x00\x00\x09\x01"
CONFIGURATION = """\
num_acceptors.tcp = 4
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 16777216
log.console = true
log.console.level = warning
log.file = false
listeners.ssl.default = 127.0.0.1:{tls.port}
ssl_options.cacertfile = {tls.files.authority}
ssl_options.certfile = {tls.files.certificate}
ssl_options.keyfile = {tls.files.key}
"""


@dataclass(frozen=True, slots=True)
class Tls:
    """Where TLS is spoken, and what with."""

    port: int
    files: Certificates


def rights(user: str, vhost: str, make: str = ".*", use: str = ".*") -> dict[str, str]:
    """A permission: patterns of the names that *user* may make, and may use."""
    return {"user": user, "vhost": vhost, "configure": make, "write": use, "read": use}


class RabbitMQ(Server):
    """Where a RabbitMQ is, and how to log in as one who may do everything."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str = "guest",
        password: str = "guest",
        vhost: str = "/",
        folder: Path | None = None,
        scripts: Path | None = None,
    ) -> None:
        super().__init__("RabbitMQ", folder)
        self.host, self.port = host, port
        self.username, self.password, self.vhost = username, password, vhost
        self._scripts = scripts
        self._ports = (free_port(), free_port())
        if folder is not None:
            self._tls = Tls(free_port(), certificates_in(folder))
            (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(tls=self._tls))
            (folder / "rabbitmq-env.conf").touch()
            (folder / "plugins").write_text("[].\n")

    @property
    def tls(self) -> Tls:
        """How to reach it by TLS."""
        assert self.folder
        return self._tls

    def answers(self) -> bool:
        return answered(self.port, GREETING, self.host)[:1] == b"\x01"

    def command(self) -> tuple[list[str], dict[str, str]]:
        assert self._scripts is not None
        return [str(self._scripts / "rabbitmq-server")], self._environment()

    def control(self, *arguments: str) -> str:
        """What ``rabbitmqctl`` prints; takes a second or two."""
        environment = {**os.environ, **self._environment()}
        assert self._scripts is not None
        command = [str(self._scripts / "rabbitmqctl"), "-q", *arguments]
        return subprocess.run(
            command, env=environment, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def define(self, **objects: list[dict[str, str]]) -> None:
        """Make ``users``, ``vhosts`` and ``permissions``, as RabbitMQ exports them, at once."""
        definitions = self.folder / "definitions.json"
        definitions.write_text(json.dumps(objects))
        self.control("import_definitions", str(definitions))

    @contextmanager
    def name_server(self) -> Iterator[None]:
        """Its epmd, without which Erlang would start one that stays."""
        epmd, port = shutil.which("epmd"), self._ports[1]
        if epmd is None:
            missing("rabbitmq", "there is no epmd on the PATH")
        command = [epmd, "-port", str(port), "-address", "127.0.0.1"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        left_to_nobody(process)
        try:
            wait_until(lambda: answered(port, b"\x00\x01n"), "epmd")
            yield
        finally:
            process.terminate()
            process.wait()

    def _environment(self) -> dict[str, str]:
        distribution, names = self._ports
        folder = self.folder
        return {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": "knlite@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
            ),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.data),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # The script becomes the server, instead of waiting for it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


@contextmanager
def rabbitmq_of(folder: Path) -> Iterator[RabbitMQ]:
    """The one that ``KNLITE_TEST_RABBITMQ`` names (``amqp://USER:PASSWORD@HOST:PORT/VHOST``), or
    one of our own in *folder* until the block ends."""
    given = os.environ.get("KNLITE_TEST_RABBITMQ")
    if given:
        url = urlsplit(given)
        yield RabbitMQ(
            url.hostname or "127.0.0.1",
            url.port or 5672,
            username=unquote(url.username or "guest"),
            password=unquote(url.password or "guest"),
            vhost=unquote(url.path[1:]) or "/",
        )
        return
    server = RabbitMQ("127.0.0.1", free_port(), folder=folder, scripts=_scripts())
    with server.name_server():
        try:
            server.start()
            yield server
        finally:
            server.end()


def _scripts() -> Path:
    if DEBIAN.is_dir():
        return DEBIAN
    found = shutil.which("rabbitmq-server")
    if found is None:
        missing("rabbitmq", "there is no rabbitmq-server on the PATH")
    return Path(found).resolve().parent
