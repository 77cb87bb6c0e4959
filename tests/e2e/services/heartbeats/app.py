"""Sends an event to ``$K_SINK`` now and then, as Eventing's sample of that name does."""

import argparse
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--eventType", default="dev.knative.eventing.samples.heartbeat")
parser.add_argument("--msg", default="")
given = parser.parse_args()
overrides = json.loads(os.environ.get("K_CE_OVERRIDES") or "{}").get("extensions", {})
token = Path(os.environ.get("K_OIDC_DIR", "/oidc"), "token")
trusted = os.environ.get("K_CA_CERTS") or None
context = ssl.create_default_context(cadata=trusted)
once = os.environ.get("ONE_SHOT") == "true"

for number in range(10_000):
    headers = {
        "ce-specversion": "1.0",
        "ce-type": given.eventType,
        "ce-source": "https://knative.dev/eventing/cmd/heartbeats/#tests",
        "ce-id": f"{os.getpid()}-{number}",
        "content-type": "application/json",
        **{f"ce-{name}": value for name, value in overrides.items()},
    }
    if token.exists():
        headers["authorization"] = f"Bearer {token.read_text()}"
    data = json.dumps({"id": number, "msg": given.msg}).encode()
    request = urllib.request.Request(os.environ["K_SINK"], data, headers)
    try:
        urllib.request.urlopen(request, context=context).close()
        if once:
            break
    except (OSError, urllib.error.HTTPError) as error:
        print(f"event {number} was not taken: {error}", flush=True)
    time.sleep(0.2)
