"""DKIM (RFC 6376): a receiver can tell that a mail is ours and was not changed. The canonical forms and the
hash of the headers are dkimpy's; the RSA step is the cryptography package's, which is twenty times faster."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dkim.canonicalization import CanonicalizationPolicy

# From is named twice: a second one put in on the way breaks the signature (RFC 6376, 8.15); so does a
# Reply-To put into a letter that has none.
SIGNED: Final = (
    b"from", b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"mime-version",
    b"content-type",
)  # fmt: skip
RELAXED: Final = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
LEAST_BITS: Final = 2048
_SHA256, _PADDING = Prehashed(SHA256()), PKCS1v15()


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for ``domain`` with the key whose public half stands at ``<selector>._domainkey.<domain>``."""

    selector: str
    domain: str
    key: rsa.RSAPrivateKey

    @classmethod
    def of_file(cls, selector: str, domain: str, file: Path) -> "Signer":
        """Raises ValueError for what is not an RSA key of at least 2048 bits in PEM without a password."""
        key = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_BITS:
            raise ValueError(f"{file.name} is not an RSA key of at least {LEAST_BITS} bits")
        return cls(selector, domain, key)

    def signature(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, at: datetime) -> bytes:
        """The header line DKIM-Signature, to stand before the others."""
        body_hash = b64encode(sha256(RELAXED.canonicalize_body(body)).digest())
        fields = [
            (b"v", b"1"), (b"a", b"rsa-sha256"), (b"c", b"relaxed/relaxed"), (b"d", self.domain.encode()),
            (b"s", self.selector.encode()), (b"t", b"%d" % at.timestamp()), (b"h", b": ".join(SIGNED)),
            (b"bh", body_hash), (b"b", b""),
        ]  # fmt: skip
        unsigned = b" " + b"; ".join(b"=".join(field) for field in fields)
        digest = sha256()
        canonical = RELAXED.canonicalize_headers([[name, b" " + value + b"\r\n"] for name, value in headers])
        dkim.hash_headers(digest, RELAXED, canonical, SIGNED, (b"DKIM-Signature", unsigned), {})
        signed = b64encode(self.key.sign(digest.digest(), _PADDING, _SHA256))
        # Folded at its blanks, or within the signature itself, which is no part of what is signed.
        folded: bytes = dkim.fold(unsigned + signed, namelen=15)
        return b"DKIM-Signature:" + folded + b"\r\n"
