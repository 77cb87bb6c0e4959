"""Runs the function without a server. Needs: pip install -e '.[test]'"""

import asyncio
import unittest

from cloudevents.core.v1.event import CloudEvent
from function import new


class FunctionTest(unittest.TestCase):
    def test_answers_with_what_it_received(self):
        event = CloudEvent(
            attributes={"type": "order.paid", "source": "/shop", "id": "1"}, data={"order": 17}
        )
        sent = []

        async def send(answer):
            sent.append(answer)

        asyncio.run(new().handle({"event": event}, None, send))
        (answer,) = sent
        self.assertEqual(answer.get_type(), "function.response")
        self.assertEqual(answer.get_data(), {"received": {"order": 17}})


if __name__ == "__main__":
    unittest.main()
