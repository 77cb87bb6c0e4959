"""The Secret with the token of a SinkBinding (Eventing reference §8)."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from msgspec.structs import replace

from knlite.controlplane.tokensecrets import TokenSecrets
from knlite.issuer import Issuer
from knlite.kinds.conditions import find
from knlite.kinds.core.secret import Secret
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Key
from tests.flows.cell import Cell, opened

AUDIENCE = "eventing.knative.dev/broker/default/main"
SUBJECT = "system:serviceaccount:default:b-oidc-sources.knative.dev-sinkbinding"
SECRET = Key(Secret, "default", "b-oidc-token")


class Flow:
    """A cell with a Broker and a SinkBinding that has no subjects yet."""

    def __init__(self, cell: Cell, issuer: Issuer) -> None:
        self.cell, self.issuer = cell, issuer

    def identities(self, value: str) -> None:
        data = {"authentication-oidc": value}
        self.apply("v1", "ConfigMap", "config-features", "knative-eventing", data=data)

    def bind(self) -> None:
        self.apply("eventing.knative.dev/v1", "Broker", "main", "default")
        ref = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "main"}
        subject = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "selector": {"matchLabels": {"a": "b"}},
        }
        spec = {"subject": subject, "sink": {"ref": ref}}
        self.apply("sources.knative.dev/v1", "SinkBinding", "b", "default", spec=spec)

    def apply(self, api_version: str, kind: str, name: str, namespace: str, **rest: object) -> None:
        metadata = {"name": name, "namespace": namespace}
        self.cell.apply({"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest})

    def secret(self) -> Secret | None:
        return self.cell.registry.view.get(Secret, "default", "b-oidc-token")

    def bearer(self) -> str:
        found = self.secret()
        assert found is not None
        return self.issuer.subject(b64decode(found.data["token"]).decode(), AUDIENCE)

    def condition(self) -> tuple[str, str]:
        binding = self.cell.registry.view.get(SinkBinding, "default", "b")
        assert binding is not None
        found = find(binding.status.conditions, "OIDCTokenSecretCreated")
        assert found is not None
        return found.status, found.reason


@asynccontextmanager
async def flowing() -> AsyncIterator[Flow]:
    async with opened() as cell, anyio.create_task_group() as group:
        issuer = Issuer(cell.clock.wall)
        secrets = TokenSecrets(cell.registry, issuer, cell.clock, cell.facts.append)
        await group.start(secrets.run)
        yield Flow(cell, issuer)
        group.cancel_scope.cancel()


async def test_a_binding_gets_a_token_for_its_sink() -> None:
    async with flowing() as flow:
        flow.identities("enabled")
        flow.bind()
        await anyio.sleep(1)
        assert flow.bearer() == SUBJECT
        assert flow.condition() == ("True", "")
        found = flow.secret()
        assert found is not None
        assert [each.kind for each in found.metadata.owner_references] == ["SinkBinding"]


async def test_a_token_that_is_none_is_made_anew() -> None:
    async with flowing() as flow:
        flow.identities("enabled")
        flow.bind()
        await anyio.sleep(1)
        found = flow.secret()
        assert found is not None
        forged = {"token": b64encode(b"forged").decode()}
        flow.cell.registry.update(replace(found, data=forged), user="test")
        await anyio.sleep(1)
        assert flow.bearer() == SUBJECT
        flow.cell.registry.delete(SECRET)
        await anyio.sleep(1)
        assert flow.bearer() == SUBJECT


async def test_somebody_elses_secret_is_left_alone() -> None:
    async with flowing() as flow:
        flow.identities("enabled")
        flow.apply("v1", "Secret", "b-oidc-token", "default", stringData={"token": "mine"})
        flow.bind()
        await anyio.sleep(1)
        found = flow.secret()
        assert found is not None
        assert b64decode(found.data["token"]) == b"mine"
        assert flow.condition() == ("False", "Unable to reconcile OIDC token secret")


async def test_without_identities_there_is_none() -> None:
    async with flowing() as flow:
        flow.bind()
        await anyio.sleep(1)
        assert flow.secret() is None
        assert flow.condition() == ("True", "authentication-oidc feature disabled")
