"""Runs the function without a server. Needs: pip install -e '.[test]'"""

import asyncio
import unittest

from cloudevents.core.v1.event import CloudEvent
from function import new


class FunctionTest(unittest.TestCase):
    def ask(self, data):
        """The event that the function answers one with *data* with."""
        event = CloudEvent(
            attributes={"type": "order.paid", "source": "/shop", "id": "1"}, data=data
        )
        sent = []

        async def send(answer):
            sent.append(answer)

        asyncio.run(new().handle({"event": event}, None, send))
        (answer,) = sent
        return answer

    def test_answers_with_what_it_received(self):
        answer = self.ask({"order": 17})
        self.assertEqual(answer.get_type(), "function.response")
        self.assertEqual(answer.get_data(), {"received": {"order": 17}})

    def test_takes_what_is_no_json(self):
        self.assertEqual(self.ask(b"plain").get_data(), {"received": "plain"})


if __name__ == "__main__":
    unittest.main()
