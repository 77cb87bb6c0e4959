"""Asks the server over a port of its own. Needs pytest, or: python -m unittest"""

import threading
import unittest
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer

from server import Handler


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, method, body=None):
        connection = HTTPConnection(*self.server.server_address)
        self.addCleanup(connection.close)
        connection.request(method, "/", body)
        return connection.getresponse().read()

    def test_greets(self):
        self.assertEqual(self.ask("GET"), b"Hello from a container!\n")

    def test_echoes_what_is_sent(self):
        self.assertEqual(self.ask("POST", b"ping"), b"ping")


if __name__ == "__main__":
    unittest.main()
