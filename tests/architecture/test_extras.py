"""Client libraries of servers are for those who have something on a server."""

import subprocess
import sys

CHECK = """
import sys
import knlite.emulator
import knlite.cli.main
print(*{"aiokafka", "aio_pika", "aiormq", "pamqp", "opentelemetry"} & sys.modules.keys())
"""


def test_without_a_resource_on_a_server_its_library_is_not_loaded() -> None:
    found = subprocess.run(
        [sys.executable, "-c", CHECK], check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == []
