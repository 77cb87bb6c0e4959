"""Runs the function without a server. Needs pytest, or: python -m unittest tests/test_func.py"""

import asyncio
import unittest

from function import new


def ask(query=b"", body=b"", headers=()):
    """What the function sends for one request."""
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": headers}
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    function = new()
    function.start({"GREETING": "Hi"})
    asyncio.run(function.handle(scope, receive, send))
    return sent


class FunctionTest(unittest.TestCase):
    def test_greets_by_name(self):
        start, body = ask(query=b"name=Ada")
        self.assertEqual(start["status"], 200)
        self.assertEqual(body["body"], b"Hi, Ada!\n")

    def test_echoes_what_is_sent(self):
        start, body = ask(body=b'{"a": 1}', headers=[(b"content-type", b"application/json")])
        self.assertEqual(start["headers"], [(b"content-type", b"application/json")])
        self.assertEqual(body["body"], b'{"a": 1}')


if __name__ == "__main__":
    unittest.main()
