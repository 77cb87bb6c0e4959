"""Counts the words of what it is sent."""

import json


def new():
    return Function()


class Function:
    def start(self, cfg):
        self.requests = 0

    async def handle(self, scope, receive, send):
        self.requests += 1
        text, more = b"", True
        while more:
            message = await receive()
            text += message.get("body", b"")
            more = message.get("more_body", False)
        print(f"{len(text)} bytes")
        answer = {"words": len(text.split())}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode() + b"\n"})
