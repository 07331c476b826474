"""Clients share one TLS context and still trust nobody but the CAs of the bundle."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from hub.aws.clients import Clients, Keys, signing_as
from tests.fake_aws.server import FakeAws

KEYS = Keys("222233334444", "ASIAFAKE", "secret", "token")


@dataclass(frozen=True, slots=True)
class Secured:
    """The fake AWS behind TLS, with a certificate that only its own bundle vouches for."""

    endpoint: str
    bundle: Path


@pytest.fixture
def secured(aws: FakeAws, tmp_path: Path) -> Iterator[Secured]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, private = tmp_path / "bundle.pem", tmp_path / "key.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    server = make_server("127.0.0.1", 0, aws.gate, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield Secured(f"https://127.0.0.1:{server.server_port}", bundle)
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


async def test_a_server_no_ca_of_the_bundle_vouches_for_is_told_nothing(
    secured: Secured, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", secured.endpoint)
    clients = Clients()
    sts = await clients.get("sts", "us-east-1")
    before = len(aws.calls())
    with signing_as(KEYS), pytest.raises(SSLError):
        await sts.get_caller_identity()
    assert len(aws.calls()) == before
    await clients.close()


async def test_the_bundle_of_the_environment_is_what_clients_trust(
    secured: Secured, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", secured.endpoint)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(secured.bundle))
    clients = Clients()
    spoke = aws.spoke()
    role = f"arn:aws:iam::{spoke.account_id}:role/Dome9CloudBots"
    found = aws.enter(spoke.account_id, role)
    keys = Keys(spoke.account_id, *found.values())
    with signing_as(keys):
        for region in ("us-east-1", "eu-west-1"):
            sts = await clients.get("sts", region)
            assert (await sts.get_caller_identity())["Account"] == spoke.account_id
    await clients.close()


async def test_behind_a_proxy_the_context_is_the_proxys(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", secured.endpoint)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    clients = Clients()
    sts = await clients.get("sts", "us-east-1")
    with signing_as(KEYS), pytest.raises(Exception, match=r"proxy|127\.0\.0\.1:9"):
        await sts.get_caller_identity()
    await clients.close()
