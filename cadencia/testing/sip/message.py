"""SIP messages over UDP, as far as a test peer on loopback needs them (RFC 3261, digest RFC 2617)."""

from __future__ import annotations

import hashlib
import re
import secrets

_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


class Message:
    """A received request or response.

    Attributes:
        first: first line.
        headers: name in small letters -> values in order.
        body: what follows the empty line.
    """

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.first = lines[0]
        self.headers: dict[str, list[str]] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.setdefault(_SHORT.get(name, name), []).append(value.strip())

    def get(self, name: str) -> str:
        """First value of a header, empty if there is none."""
        return self.headers.get(name, [""])[0]

    @property
    def code(self) -> int:
        """Status of a response, 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Method of a request; of a response, that of the request it answers."""
        return self.get("cseq").split()[-1] if self.code else self.first.split()[0]

    @property
    def uri(self) -> str:
        """Request URI; empty for a response."""
        return "" if self.code else self.first.split()[1]

    @property
    def branch(self) -> str:
        """Transaction id of the topmost Via."""
        match = re.search(r"branch=([^;]+)", self.get("via"))
        return match[1] if match else ""


def user_of(text: str) -> str:
    """The user part of the first SIP URI in a header or request line, empty if there is none."""
    match = re.search(r"sips?:([^@>;]*)@", text)
    return match[1] if match else ""


def uri_of(text: str) -> str:
    """The URI of a Contact, From or To header."""
    match = re.search(r"<([^>]+)>", text)
    return match[1] if match else text.split(";")[0].strip()


def build(first: str, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """A message on the wire; Content-Length and, if there is a body, Content-Type are added."""
    if body:
        headers = [*headers, ("Content-Type", "application/sdp")]
    lines = [first, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def new_branch() -> str:
    """A fresh transaction id."""
    return "z9hG4bK" + secrets.token_hex(8)


def new_tag() -> str:
    """A fresh dialog tag."""
    return secrets.token_hex(5)


def sdp(port: int) -> str:
    """An offer or answer of ulaw on 127.0.0.1."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def rtp_address(body: str) -> tuple[str, int] | None:
    """Where the sender of an SDP wants its audio, None if it does not say."""
    host, media = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
    return (host[1], int(media[1])) if host and media else None


def authorize(challenge: Message, method: str, uri: str, user: str, secret: str) -> tuple[str, str]:
    """The header, name and value, that answers a 401 or 407."""
    proxy = challenge.code == 407
    offers = challenge.headers.get("proxy-authenticate" if proxy else "www-authenticate", [])
    offer = next((o for o in offers if "sha-256" not in o.lower()), "")
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', offer))
    nonce_count, client_nonce = "00000001", secrets.token_hex(4)
    key = _md5(f"{user}:{asked['realm']}:{secret}")
    answer = _md5(f"{key}:{asked['nonce']}:{nonce_count}:{client_nonce}:auth:{_md5(f'{method}:{uri}')}")
    parts = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri, "response": answer}
    parts |= {"cnonce": client_nonce} | ({"opaque": asked["opaque"]} if "opaque" in asked else {})
    quoted = ", ".join(f'{name}="{value}"' for name, value in parts.items())
    name = "Proxy-Authorization" if proxy else "Authorization"
    return name, f"Digest {quoted}, algorithm=MD5, qop=auth, nc={nonce_count}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
