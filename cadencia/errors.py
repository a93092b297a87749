"""One error tree. Every error carries a stable code, a message for people and, where there is one, the way out.

CadenciaError
├── ConfigError          a setting, a file or an argument of the user's is wrong           exit 2
├── PortfolioError       a portfolio file cannot be read at all                            exit 2
├── StoreError           the database is missing, full, or of another version              exit 1
│   └── LeadershipLost   another engine leads now; this one must not dial any more
├── TelephonyError
│   ├── LocalProtocolError   we tried to send what must never reach the wire (our bug)
│   ├── RemoteProtocolError  the switch sent what cannot be understood
│   ├── AmiRefused           the switch answered Error
│   ├── AmiTimeout           no answer before the deadline: the result is unknown
│   ├── AmiLost              the link went down: the result is unknown
│   └── SwitchUnfit          the switch or its account is not what we may dial with         exit 1
└── Refused              a person asked for something the state or the rules do not allow
"""

from __future__ import annotations


class Words(str):
    """A sentence in English that knows itself in Spanish, the two languages of the pages and the command line."""

    __slots__ = ("es",)
    es: str

    def __new__(cls, en: str, es: str) -> Words:
        words = super().__new__(cls, en)
        words.es = es
        return words


def spoken(text: str, language: str) -> str:
    """The sentence in a language, "es" or "en"; a plain string is the same in both."""
    return text.es if language == "es" and isinstance(text, Words) else str(text)


class CadenciaError(Exception):
    """Root of all errors that are told to a person.

    Args:
        message: what is wrong, in one sentence; `Words` where a person of either language may read it.
        hint: what to do about it, in one sentence; empty if there is nothing.
    """

    code = "CAD-000"
    exit_code = 1
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(CadenciaError):
    """A setting, a file or an argument is wrong."""

    code = "CAD-CONFIG"
    exit_code = 2


class PortfolioError(CadenciaError):
    """A portfolio file cannot be read at all (single bad rows are quarantined, not raised)."""

    code = "CAD-PORTFOLIO"
    exit_code = 2


class StoreError(CadenciaError):
    """The database is missing, full, unreachable, or of another version."""

    code = "CAD-STORE"
    retryable = True


class LeadershipLost(StoreError):
    """Another engine leads now; whatever this one still wants to write is refused."""

    code = "CAD-LEADER"
    retryable = False


class TelephonyError(CadenciaError):
    """Anything between the engine and the switch."""

    code = "CAD-TEL"


class LocalProtocolError(TelephonyError):
    """We tried to send what must never reach the wire."""

    code = "CAD-AMI-LOCAL"


class RemoteProtocolError(TelephonyError):
    """The switch sent what cannot be understood."""

    code = "CAD-AMI-REMOTE"


class AmiRefused(TelephonyError):
    """The switch answered Error: nothing was done."""

    code = "CAD-AMI-REFUSED"


class AmiTimeout(TelephonyError):
    """No answer before the deadline: whether it was done is unknown."""

    code = "CAD-AMI-TIMEOUT"
    retryable = True


class AmiLost(TelephonyError):
    """The link went down before the answer: whether it was done is unknown."""

    code = "CAD-AMI-LOST"
    retryable = True


class SwitchUnfit(TelephonyError):
    """The switch, or the account on it, is not one we may dial with."""

    code = "CAD-SWITCH"


class Refused(CadenciaError):
    """A person asked for something that the state or the rules do not allow."""

    code = "CAD-REFUSED"
