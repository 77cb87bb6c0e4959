"""A server that speaks nothing but HTTP/2 without TLS, and says what it was asked."""

import asyncio
import json
import os
import signal

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, TrailersReceived


class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.asked = {}
        self.h2.initiate_connection()
        transport.write(self.h2.data_to_send())

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            match event:
                case RequestReceived():
                    asked = {"headers": dict(event.headers), "body": "", "trailers": {}}
                    self.asked[event.stream_id] = asked
                case DataReceived():
                    self.asked[event.stream_id]["body"] += event.data.decode()
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case TrailersReceived():
                    self.asked[event.stream_id]["trailers"] = dict(event.headers)
                case StreamEnded():
                    self.answer(event.stream_id, self.asked.pop(event.stream_id))
                case _:
                    pass
        self.transport.write(self.h2.data_to_send())

    def answer(self, stream, asked):
        body = json.dumps(asked).encode()
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
        self.h2.send_data(stream, body)
        self.h2.send_headers(stream, [("x-sum", str(len(body)))], end_stream=True)


async def main():
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    async with await loop.create_server(Server, "0.0.0.0", int(os.environ["PORT"])):
        await ended.wait()


asyncio.run(main())
