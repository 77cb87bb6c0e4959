"""Runs the function without a server. Needs pytest, or: python -m unittest"""

import json
import unittest
from types import SimpleNamespace

from func import main


def ask(method, args=(), sent=None):
    """The function's answer: its document and its status."""
    request = SimpleNamespace(
        method=method, path="/", args=dict(args), get_json=lambda silent=False: sent
    )
    body, status, _ = main(SimpleNamespace(request=request, cloud_event=None))
    return json.loads(body), status


class FunctionTest(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(ask("GET", {"name": "Ada"}), ({"hello": "Ada"}, 200))

    def test_answers_with_what_it_received(self):
        self.assertEqual(ask("POST", sent={"a": 1}), ({"received": {"a": 1}}, 200))


if __name__ == "__main__":
    unittest.main()
