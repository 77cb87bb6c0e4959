"""Sends the event in the file that a JobSink has made to the URL in its argument."""

import os
import sys
import urllib.request
from pathlib import Path

event = Path(os.environ["K_EVENT_PATH"], "event").read_bytes()
headers = {"Content-Type": "application/cloudevents+json"}
urllib.request.urlopen(urllib.request.Request(sys.argv[1], event, headers)).close()
