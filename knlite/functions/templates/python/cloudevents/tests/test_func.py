"""Runs the function without a server. Needs: pip install -e '.[test]'"""

import asyncio
import unittest

from cloudevents.core.v1.event import CloudEvent
from function import new


def answer_to(data):
    """The event that the function sends for one with *data*."""
    event = CloudEvent(attributes={"type": "order.paid", "source": "/shop"}, data=data)
    sent = []

    async def send(answer):
        sent.append(answer)

    asyncio.run(new().handle({"event": event}, None, send))
    (answer,) = sent
    return answer


class FunctionTest(unittest.TestCase):
    def test_answers_with_what_it_received(self):
        answer = answer_to({"order": 17})
        self.assertEqual(answer.get_type(), "function.response")
        self.assertEqual(answer.get_data(), {"received": {"order": 17}})

    def test_takes_what_is_no_json(self):
        self.assertEqual(answer_to(b"\xff\xd8").get_data(), {"received": "2 bytes"})


if __name__ == "__main__":
    unittest.main()
