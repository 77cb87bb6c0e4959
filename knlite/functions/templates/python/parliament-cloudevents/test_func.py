"""Runs the function without a server. Needs: pip install -r requirements.txt -c constraints.txt"""

import unittest

from cloudevents.http import CloudEvent
from parliament import Context

from func import main


class FunctionTest(unittest.TestCase):
    def ask(self, data):
        """The event that the function answers one with *data* with."""
        context = Context(None)
        context.cloud_event = CloudEvent({"type": "order.paid", "source": "/shop"}, data)
        return main(context)

    def test_answers_with_what_it_received(self):
        answer = self.ask({"order": 17})
        self.assertEqual(answer["type"], "function.response")
        self.assertEqual(answer.data, {"received": {"order": 17}})

    def test_takes_what_is_no_json(self):
        self.assertEqual(self.ask(b"plain").data, {"received": "plain"})


if __name__ == "__main__":
    unittest.main()
