"""A mail server that keeps to the letter of a script, also where the script is wrong, silent or slow."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANG, CLOSE, SLOWLY = "(hang)", "(close)", "(slowly) "
SCRIPT = {
    "greeting": "220 mx.example.vn ESMTP",
    "EHLO": "250-mx.example.vn\r\n250 8BITMIME",
    "HELO": "250 mx.example.vn",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 go ahead",
    "body": "250 2.0.0 queued as 4XyZ",
    "RSET": "250 2.0.0 OK",
    "STARTTLS": "220 ready",
    "AUTH": "235 2.7.0 OK",
    "QUIT": "221 bye",
}


@dataclass
class Server:
    """``script``: the answer to each verb; of several, the first to the first time, the last from then on."""

    script: dict[str, str | Sequence[str]]
    tls: ssl.SSLContext | None = None
    most: int = 1000  # connections at once; one more is told 421
    port: int = 0
    heard: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    open: int = 0
    opened: int = 0
    peak: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _answer(self, verb: str) -> str:
        given = self.script.get(verb, SCRIPT.get(verb, "502 5.5.1 what?"))
        if isinstance(given, str):
            return given
        turn = sum(line.startswith(verb) for line in self.heard) - 1
        return given[min(max(turn, 0), len(given) - 1)]

    def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.add(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open, self.opened = self.open + 1, self.opened + 1
        self.peak = max(self.peak, self.open)
        try:
            if self.open > self.most:
                await self._say(writer, "421 4.7.0 too many connections")
                return
            await self._dialogue(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, _Closed):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append("greeting")
        await self._say(writer, self._answer("greeting"))
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.heard.append(line)
            verb = line.split()[0].upper()
            reply = self._answer(verb)
            await self._say(writer, reply)
            if verb == "STARTTLS" and self.tls and reply.startswith("220"):
                await writer.start_tls(self.tls)
            if verb == "DATA" and reply.removeprefix(SLOWLY).startswith("354"):
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                self.heard.append("body")
                await self._say(writer, self._answer("body"))
            if verb == "QUIT" or reply.startswith("421"):
                return

    async def _say(self, writer: asyncio.StreamWriter, reply: str) -> None:
        if reply == HANG:
            await asyncio.sleep(60)
        if reply == CLOSE:
            raise _Closed
        slowly, words = reply.startswith(SLOWLY), reply.removeprefix(SLOWLY)
        raw = words.encode("latin-1", "replace") + b"\r\n"
        for piece in [raw[at : at + 1] for at in range(len(raw))] if slowly else [raw]:
            writer.write(piece)
            await writer.drain()
            if slowly:
                await asyncio.sleep(0.002)


class _Closed(Exception):
    pass


@asynccontextmanager
async def serving(
    tls: ssl.SSLContext | None = None, most: int = 1000, **script: str | Sequence[str]
) -> AsyncIterator[Server]:
    told = Server(dict(script), tls, most)
    server = await asyncio.start_server(told.talk, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    yield told
    server.close()
    await told.close()


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side with a certificate for ``host``, and the file by which a client would trust it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both, trusted = folder / f"{host}.both.pem", folder / f"{host}.pem"
    both.write_bytes(private + pem)
    trusted.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted
