"""Which certificates can be shown, and what is said of the others."""

import tempfile
from pathlib import Path

import pytest

from knlite.dataplane.tls import Certificates
from knlite.serving.certificates import Certificate

ODD = Certificate(b"no certificate", b"secret key")


def test_why_a_certificate_cannot_be_shown_is_told_without_its_key() -> None:
    shown = Certificates()
    problems = shown.update({"shop.example.com": ODD})
    assert problems["shop.example.com"].startswith("the certificate cannot be used: ")
    assert "secret" not in repr((problems, ODD))
    assert not shown


def test_a_machine_without_room_for_a_file_has_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    problems = Certificates().update({"shop.example.com": ODD})
    assert "No such file or directory" in problems["shop.example.com"]
