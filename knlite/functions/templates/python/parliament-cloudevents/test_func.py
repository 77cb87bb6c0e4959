"""Runs the function without a server. Needs: pip install -r requirements.txt -c constraints.txt"""

import unittest

from cloudevents.http import CloudEvent
from parliament import Context

from func import main


class FunctionTest(unittest.TestCase):
    def test_answers_with_what_it_received(self):
        sent = CloudEvent({"type": "order.paid", "source": "/shop"}, {"order": 17})
        context = Context(None)
        context.cloud_event = sent
        answer = main(context)
        self.assertEqual(answer["type"], "function.response")
        self.assertEqual(answer.data, {"received": {"order": 17}})


if __name__ == "__main__":
    unittest.main()
