"""What is asked of a cluster beside events: topics, and how far groups have come.

Each is one request, or as many as there are brokers that have to be asked. The library's public
clients have no words for some of them, so the requests themselves are used.

Source: Apache Kafka protocol guide; knative-extensions/eventing-kafka-broker
``control-plane/pkg/kafka/{topic,offset}`` (a topic that exists is taken as it is; offsets of a new
group are committed before its reader counts as ready).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeGroupsRequest,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest

from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventlog.kafka.problems import (
    GROUP_FAILED,
    NOT_PRESENT,
    Refused,
    create_failed,
    trouble_of_code,
)

Leaders = Mapping[int, int]
"""By partition: the node that has it."""

_TIMEOUT = 8_000
"""Milliseconds that the server may take."""
_NONE = -1
_NEWEST, _OLDEST = -1, -2
_UNKNOWN_TOPIC = errors.UnknownTopicOrPartitionError.errno
_EXISTS = errors.TopicAlreadyExistsError.errno
_IN_USE = (
    errors.UnknownMemberIdError.errno,
    errors.RebalanceInProgressError.errno,
    errors.IllegalGenerationError.errno,
)
_NO_GROUP = (0, errors.GroupIdNotFound.errno)
_PASSING = frozenset(
    (
        errors.LeaderNotAvailableError.errno,
        errors.NotLeaderForPartitionError.errno,
        errors.GroupLoadInProgressError.errno,
        errors.GroupCoordinatorNotAvailableError.errno,
        errors.NotCoordinatorForGroupError.errno,
        errors.NotControllerError.errno,
        errors.RequestTimedOutError.errno,
    )
)


async def leaders(client: AIOKafkaClient, server: KafkaServer, topic: str) -> Leaders | None:
    """Who has the partitions of *topic*; None: there is no such topic.

    Raises ``Refused``, and the library's errors when it is worth trying again.
    """
    request = MetadataRequest([topic], allow_auto_topic_creation=False)
    answer = (await client.send(_anybody(client), request)).to_object()
    (found,) = answer["topics"]
    code = found["error_code"]
    if code == _UNKNOWN_TOPIC:
        return None
    _check(code, f"topic {topic}", NOT_PRESENT, server)
    partitions = {each["partition"]: each["leader"] for each in found["partitions"]}
    if not partitions or _NONE in partitions.values():
        raise errors.LeaderNotAvailableError(topic)
    return partitions


async def create(client: AIOKafkaClient, backing: KafkaBacking, topic: str) -> bool:
    """Make *topic*; False: somebody else has just done so. Raises as above."""
    settings = list(backing.settings.items())
    where: list[object] = []
    wanted = (topic, backing.partitions, backing.replication, where, settings)
    request = CreateTopicsRequest([wanted], _TIMEOUT, validate_only=False)
    answer = (await client.send(_anybody(client), request)).to_object()
    (made,) = _entries(answer, "topic_errors")
    if made["error_code"] == _EXISTS:
        return False
    said = made.get("error_message")
    _check(made["error_code"], said, create_failed(topic), backing.server)
    return True


async def delete(client: AIOKafkaClient, server: KafkaServer, topic: str) -> None:
    """Delete *topic*, if it exists. Raises as above."""
    request = DeleteTopicsRequest([topic], _TIMEOUT)
    answer = (await client.send(_anybody(client), request)).to_object()
    (gone,) = _entries(answer, "topic_error_codes")
    if gone["error_code"] != _UNKNOWN_TOPIC:
        _check(gone["error_code"], None, f"Failed to delete topic: {topic}", server)


async def begin(
    client: AIOKafkaClient,
    server: KafkaServer,
    group: str,
    topics: Mapping[str, Leaders],
    at: Literal["earliest", "latest"],
    *,
    anew: bool = False,
) -> None:
    """Let *group* begin there in topics where it has not been, or in all if they are new to it.

    Where it has been, a partition that it does not know is a new one, and all in it is for it.
    Raises as above.
    """
    coordinator = await _coordinator(client, server, group)
    known = await _committed(client, server, coordinator, group, topics)
    if anew:
        known.clear()
    per_topic: dict[str, list[tuple[int, int, str]]] = {}
    for topic, partitions in topics.items():
        missing = {each: node for each, node in partitions.items() if (topic, each) not in known}
        if missing:
            new = at == "earliest" or len(missing) < len(partitions)
            places = await _places(client, server, topic, missing, _OLDEST if new else _NEWEST)
            per_topic[topic] = [(each, offset, "") for each, offset in places.items()]
    if not per_topic:
        return
    request = OffsetCommitRequest(group, _NONE, "", _NONE, list(per_topic.items()))
    answer = await _of_coordinator(client, coordinator, request)
    for each in answer["topics"]:
        for partition in each["partitions"]:
            # While the group is in use its members decide; they begin at the start of what is new.
            if partition["error_code"] not in _IN_USE:
                _check(partition["error_code"], None, GROUP_FAILED, server)


async def dismiss(client: AIOKafkaClient, server: KafkaServer, group: str, client_id: str) -> None:
    """Let those leave *group* who have called themselves *client_id*: they have crashed.

    The server would wait for them until their session is over. Raises as above.
    """
    coordinator = await _coordinator(client, server, group)
    answer = await _of_coordinator(client, coordinator, DescribeGroupsRequest([group]))
    (found,) = answer["groups"]
    # Who may not ask, or has to ask later, waits as everybody does.
    for member in found["members"]:
        if member["client_id"] == client_id:
            leave = LeaveGroupRequest(group, member["member_id"])
            await _of_coordinator(client, coordinator, leave)


async def forget_group(client: AIOKafkaClient, server: KafkaServer, group: str) -> bool:
    """Delete *group*; False: somebody else is in it. Raises as above."""
    coordinator = await _coordinator(client, server, group)
    answer = await _of_coordinator(client, coordinator, DeleteGroupsRequest([group]))
    (gone,) = answer["results"]
    code = gone["error_code"]
    if code == errors.NonEmptyGroup.errno:
        return False
    if code not in _NO_GROUP:
        _check(code, None, f"Failed to delete consumer group: {group}", server)
    return True


async def _coordinator(client: AIOKafkaClient, server: KafkaServer, group: str) -> int:
    try:
        found: int = await client.coordinator_lookup(CoordinationType.GROUP, group)
    except errors.GroupAuthorizationFailedError as exc:
        said = f"group {group}"
        raise Refused(trouble_of_code(exc.errno, said, GROUP_FAILED, server)) from exc
    return found


async def _committed(
    client: AIOKafkaClient,
    server: KafkaServer,
    coordinator: int,
    group: str,
    topics: Mapping[str, Iterable[int]],
) -> set[tuple[str, int]]:
    """Where *group* has been."""
    wanted = [(topic, list(partitions)) for topic, partitions in topics.items()]
    answer = await _of_coordinator(client, coordinator, OffsetFetchRequest(group, wanted))
    _check(answer.get("error_code", 0), f"group {group}", GROUP_FAILED, server)
    found = set()
    for each in answer["topics"]:
        for partition in each["partitions"]:
            _check(partition["error_code"], f"group {group}", GROUP_FAILED, server)
            if partition["offset"] != _NONE:
                found.add((each["topic"], partition["partition"]))
    return found


async def _places(
    client: AIOKafkaClient, server: KafkaServer, topic: str, partitions: Leaders, which: int
) -> Mapping[int, int]:
    """By partition: the offset of the first record that there is, or of the next that will be."""
    by_node: dict[int, list[tuple[int, int]]] = {}
    for partition, node in partitions.items():
        by_node.setdefault(node, []).append((partition, which))
    found = {}
    for node, wanted in by_node.items():
        request = OffsetRequest(-1, 0, [(topic, wanted)])
        (answer,) = _entries((await client.send(node, request)).to_object(), "topics")
        for each in answer["partitions"]:
            _check(each["error_code"], None, GROUP_FAILED, server)
            found[each["partition"]] = each["offset"]
    return found


async def _of_coordinator(client: AIOKafkaClient, node: int, request: object) -> dict[str, Any]:
    response = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    answer: dict[str, Any] = response.to_object()
    return answer


def _anybody(client: AIOKafkaClient) -> int:
    node: int | None = client.get_random_node()
    if node is None:
        raise errors.NodeNotReadyError("no broker is known")
    return node


def _entries(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer[name]
    return found


def _check(code: int, said: str | None, reason: str, server: KafkaServer) -> None:
    """Raise the library's error for what passes by itself, ``Refused`` for what does not."""
    if code in _PASSING:
        raise errors.for_code(code)(said or "")
    if code:
        raise Refused(trouble_of_code(code, said, reason, server))
