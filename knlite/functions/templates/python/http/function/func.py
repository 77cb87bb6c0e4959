"""A function that answers HTTP requests.

Only ``new`` and ``handle`` are needed; each of the other methods may go.
"""

import logging
from urllib.parse import parse_qs


def new():
    """Called once per instance; returns what handles its requests."""
    return Function()


class Function:
    def start(self, cfg):
        """Called before the first request; ``cfg`` is a copy of the environment."""
        self.greeting = cfg.get("GREETING", "Hello")
        logging.info("function starting")

    def stop(self):
        """Called after the last request: close what was opened."""
        logging.info("function stopping")

    def alive(self):
        """Answers /health/liveness: whether this instance may go on."""
        return True, "alive"

    def ready(self):
        """Answers /health/readiness: whether this instance may get requests."""
        return True, "ready"

    async def handle(self, scope, receive, send):
        """Answer one request, as ASGI has it."""
        query = parse_qs(scope.get("query_string", b"").decode())
        name = query.get("name", ["World"])[0]
        sent = await body_of(receive)
        answer = sent or f"{self.greeting}, {name}!\n".encode()
        content_type = b"text/plain; charset=utf-8"
        if sent:
            content_type = dict(scope["headers"]).get(b"content-type", content_type)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", content_type)],
            }
        )
        await send({"type": "http.response.body", "body": answer})


async def body_of(receive):
    """All that the client sent."""
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
