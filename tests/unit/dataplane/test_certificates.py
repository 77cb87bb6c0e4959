"""What is said of certificates that cannot be presented; the others are in the contract tests."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from knlite.dataplane.certificates import Unfit, examined
from knlite.serving.certificates import Certificate


@pytest.fixture(scope="module")
def pair() -> trustme.LeafCert:
    return trustme.CA().issue_cert("shop.example.com")


def of(pair: trustme.LeafCert, host: str) -> Certificate:
    return Certificate(
        namespace="default",
        secret="pair",
        host=host,
        chain=b"".join(each.bytes() for each in pair.cert_chain_pems),
        key=pair.private_key_pem.bytes(),
    )


def test_a_machine_without_room_for_a_file_has_no_certificate(
    pair: trustme.LeafCert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(Unfit, match="No such file or directory"):
        examined(of(pair, "shop.example.com"))


def test_a_host_that_no_client_can_ask_for_has_no_certificate(pair: trustme.LeafCert) -> None:
    with pytest.raises(Unfit, match="label"):
        examined(of(pair, f"{'a' * 64}.example.com"))


def test_what_is_not_ascii_is_passed_over_as_the_library_does(pair: trustme.LeafCert) -> None:
    certificate = of(pair, "shop.example.com")
    begin = b"-----BEGIN CERTIFICATE-----"
    chain = certificate.chain.replace(begin, begin + b" \xe9", 1)
    assert examined(replace(certificate, chain=chain)).doubt == ""


def test_what_is_said_tells_nothing_of_the_key(pair: trustme.LeafCert) -> None:
    certificate = of(pair, "shop.example.com")
    odd = Certificate(
        namespace="default", secret="pair", host="a", chain=certificate.chain, key=b"secret key"
    )
    with pytest.raises(Unfit) as raised:
        examined(odd)
    assert "secret" not in f"{raised.value!r}"
    assert "secret key" not in f"{odd!r}"
