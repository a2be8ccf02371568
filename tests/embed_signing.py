"""Files signed with Content Credentials, by c2pa-python and a certificate made for the moment."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest


def c2pa() -> Any:
    """The package. Missing: skip, but fail where CI says that it must be there."""
    try:
        import c2pa as package
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("c2pa-python is not installed; in CI no oracle may be missing")
        pytest.skip("c2pa-python is not installed")
    return package


def signed(content: bytes, mime: str) -> bytes:
    """The file with a manifest in it."""
    package = c2pa()
    manifest = {
        "claim_generator_info": [{"name": "urbexmp tests", "version": "1"}],
        "title": "a test",
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/"
                            "digitalsourcetype/digitalCapture",
                        }
                    ]
                },
            }
        ],
    }
    chain, key = _certificates()
    info = package.C2paSignerInfo(b"es256", chain, key, None)
    out = io.BytesIO()
    with package.Signer.from_info(info) as signer, package.Builder(json.dumps(manifest)) as builder:
        builder.sign(signer, mime, io.BytesIO(content), out)
    return out.getvalue()


def trouble(content: bytes, mime: str) -> list[str]:
    """Why the manifest is not valid; empty when it is. That nobody knows the signer is none."""
    package = c2pa()
    with package.Reader(mime, io.BytesIO(content)) as reader:
        said = json.loads(reader.json())
    codes = [status["code"] for status in said.get("validation_status") or ()]
    return [code for code in codes if code != "signingCredential.untrusted"]


@cache
def _certificates() -> tuple[bytes, bytes]:
    """A signer's certificate with the one that vouches for it, and the key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        parts = ((NameOID.COMMON_NAME, text), (NameOID.ORGANIZATION_NAME, "urbexmp tests"))
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])

    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    issuer, subject = name("Test root"), name("Test signer")
    made = []
    for key, who, is_root in ((keys[0], subject, False), (keys[1], issuer, True)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not is_root,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=is_root,
                    crl_sign=is_root,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[1].public_key()),
                critical=False,
            )
        )
        if not is_root:
            purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        made.append(builder.sign(keys[1], hashes.SHA256()))
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in made)
    key_pem = keys[0].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return chain, key_pem
