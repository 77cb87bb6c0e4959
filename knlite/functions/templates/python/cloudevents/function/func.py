"""A function that takes a CloudEvent and answers with one.

Only ``new`` and ``handle`` are needed; each of the other methods may go.
"""

import logging

from cloudevents.core.v1.event import CloudEvent


def new():
    """Called once per instance; returns what handles its events."""
    return Function()


class Function:
    def start(self, cfg):
        """Called before the first event; ``cfg`` is a copy of the environment."""
        logging.info("function starting")

    def stop(self):
        """Called after the last event: close what was opened."""
        logging.info("function stopping")

    def alive(self):
        """Answers /health/liveness: whether this instance may go on."""
        return True, "alive"

    def ready(self):
        """Answers /health/readiness: whether this instance may get events."""
        return True, "ready"

    async def handle(self, scope, receive, send):
        """Take ``scope["event"]``; what is sent goes on to the broker, or back to who asked.

        ``send(event)`` answers in structured mode, ``send.binary(event)`` in binary mode. To answer
        with nothing:

            await send.http({"type": "http.response.start", "status": 202, "headers": []})
            await send.http({"type": "http.response.body", "body": b""})
        """
        event = scope["event"]
        logging.info("event %s of type %s", event.get_id(), event.get_type())
        answer = CloudEvent(
            attributes={
                "type": "function.response",
                "source": "/function",
                "datacontenttype": "application/json",
            },
            data={"received": as_json(event.get_data())},
        )
        await send(answer)


def as_json(data):
    """What an event carries is bytes, unless its content type says that it is JSON or text."""
    return f"{len(data)} bytes" if isinstance(data, bytes) else data
