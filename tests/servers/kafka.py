"""A Kafka of the tests' own: one node without ZooKeeper (KRaft), from its published jars."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.executable import ROOT, free_port
from tests.required import missing
from tests.servers.certificates import Certificates, certificates_in
from tests.servers.server import Server, answered

JARS = ROOT / "tools" / "kafka" / "libs"
API_VERSIONS = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
"""The request that everybody may ask: how old the server is."""
MEMORY = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
USERS = {"admin": "admin-secret", "stranger": "stranger-secret", "guest": "guest-secret"}
"""Who may log in at the port for that: one who may do everything, one who may do nothing, and one
who may do what a test allows."""


class Kafka(Server):
    """Where a Kafka is. One of our own has two ports: anybody, and those who log in (``USERS``)."""

    def __init__(self, bootstrap: str, *, folder: Path | None = None, jars: Path = JARS) -> None:
        super().__init__("Kafka", folder)
        self.bootstrap = bootstrap
        self.sasl_port, self._tls_port = free_port(), free_port()
        self._jars = jars

    @property
    def sasl_bootstrap(self) -> str:
        """For those who log in, with SASL/PLAIN and no TLS."""
        assert self.folder
        return f"127.0.0.1:{self.sasl_port}"

    @property
    def tls_bootstrap(self) -> str:
        """For anybody who trusts ``certificates``, with TLS."""
        assert self.folder
        return f"127.0.0.1:{self._tls_port}"

    @property
    def certificates(self) -> Certificates:
        """Those of our own."""
        assert self.folder
        return self._certificates

    def answers(self) -> bool:
        host, _, port = self.bootstrap.rpartition(":")
        return answered(int(port), API_VERSIONS, host) != b""

    def command(self) -> tuple[list[str], dict[str, str]]:
        return [*self._java(), "kafka.Kafka", str(self.folder / "server.properties")], {}

    def format(self) -> None:
        """Make its folder one that it starts from."""
        self._certificates = certificates_in(self.folder)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        tool = [*self._java(), "kafka.tools.StorageTool", "format"]
        identity = ["-t", "a25saXRlLXRlc3RzLWthZg", "-c", str(properties)]
        subprocess.run([*tool, *identity], check=True, capture_output=True)

    def _java(self) -> list[str]:
        java = shutil.which("java")
        if java is None:
            missing("kafka", "there is no java on the PATH")
        return [
            java,
            *MEMORY,
            # What it unpacks, and would leave in the folder that all programs share.
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={self.folder}",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            f"{self._jars}/*",
        ]

    def _properties(self) -> str:
        users = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
        controller = f"127.0.0.1:{free_port()}"
        others = f"SASL_PLAINTEXT://{self.sasl_bootstrap},SSL://{self.tls_bootstrap}"
        listeners = f"PLAINTEXT://{self.bootstrap},{others}"
        return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners={listeners},CONTROLLER://{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=\
PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location={self._certificates.both}
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={LOGIN} {users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
log.dirs={self.data}
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=2097152
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


@contextmanager
def kafka_of(folder: Path) -> Iterator[Kafka]:
    """The one at ``KNLITE_TEST_KAFKA`` (``HOST:PORT``), or one of our own in *folder* until the
    block ends. Its jars are in the folder that ``KNLITE_KAFKA`` names, else in ``tools/kafka``."""
    given = os.environ.get("KNLITE_TEST_KAFKA")
    if given:
        yield Kafka(given)
        return
    jars = Path(os.environ.get("KNLITE_KAFKA", JARS))
    if not any(jars.glob("kafka_*.jar")):
        missing("kafka", f"there are no jars of Kafka in {jars} (see tools/kafka/pom.xml)")
    server = Kafka(f"127.0.0.1:{free_port()}", folder=folder, jars=jars)
    server.format()
    try:
        server.start()
        yield server
    finally:
        server.end()
