"""A gRPC server with a method of each of the four kinds; messages are bytes, so no code is made."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc


def say(text):
    print(text, flush=True)


def unary(request, context):
    asked = dict(context.invocation_metadata())
    if request == b"fail":
        context.set_trailing_metadata((("x-why-bin", b"\x00\xff"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: ñandú")
    context.send_initial_metadata((("x-first", asked.get("x-asked", "")),))
    context.set_trailing_metadata((("x-last", "bye"),))
    return request


def split(request, context):
    yield from request.split()


def join(requests, context):
    return b" ".join(requests)


def chat(requests, context):
    for request in requests:
        yield request.upper()


def wait(request, context):
    """Answer only when the client has given up."""
    over = threading.Event()
    context.add_callback(over.set)
    say(
        f"waiting, {context.time_remaining():.0f} s left" if context.time_remaining() else "waiting"
    )
    over.wait(60)
    say(f"given up: {request.decode()}")
    return request


methods = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Split": grpc.unary_stream_rpc_method_handler(split),
    "Join": grpc.stream_unary_rpc_method_handler(join),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Wait": grpc.unary_unary_rpc_method_handler(wait),
}
server = grpc.server(
    ThreadPoolExecutor(8),
    handlers=(grpc.method_handlers_generic_handler("test.Echo", methods),),
    options=(("grpc.max_receive_message_length", -1),),
)
server.add_insecure_port(f"0.0.0.0:{os.environ['PORT']}")
server.start()
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server.wait_for_termination()
