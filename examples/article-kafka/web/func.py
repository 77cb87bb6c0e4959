import json
import os

import requests
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from parliament import Context

# Set by the SinkBinding; absent when nothing binds this service.
K_SINK = os.environ.get("K_SINK")


def main(context: Context):
    """Answer the request, and tell the sink about it."""
    greeting = {"hello": "world"}
    if K_SINK:
        attributes = {
            "type": "com.example.greeting",
            "source": "/web",
            "datacontenttype": "application/json",
        }
        headers, body = to_binary(CloudEvent(attributes, greeting))
        requests.post(K_SINK, data=body, headers=headers, timeout=10).raise_for_status()
    return json.dumps(greeting), 200, {"Content-Type": "application/json"}
