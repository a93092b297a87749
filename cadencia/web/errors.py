"""Errors as the API tells them: {code, message, hint}, a fitting status, never a stack trace."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as PlainHTTPException

from cadencia.errors import AmiTimeout, CadenciaError, Refused, StoreError, TelephonyError, spoken
from cadencia.web.texts import field_problem, message, tongue

log = structlog.get_logger("cadencia.web")


class WebError(HTTPException):
    """What the web itself refuses; its words come from `cadencia.web.texts` in the person's language.

    An HTTPException, because FastAPI lets only those through while it reads a body.
    """

    def __init__(self, status: int, code: str, *, field: str = "", retry_after_s: int = 0, **words: str) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.field = field
        self.retry_after_s = retry_after_s
        self.words = words


def unauthenticated() -> WebError:
    """Nobody, or a session that has ended."""
    return WebError(401, "CAD-WEB-SIGN-IN")


def forbidden() -> WebError:
    """Somebody, but not for this."""
    return WebError(403, "CAD-WEB-FORBIDDEN")


#: First match wins.
_STATUS: tuple[tuple[type[CadenciaError], int], ...] = (
    (Refused, 409),
    (StoreError, 503),
    (AmiTimeout, 504),
    (TelephonyError, 502),
)


def answer(
    status: int, code: str, text: str, hint: str = "", *, field: str = "", retry_after_s: int = 0
) -> JSONResponse:
    """The one form of an error."""
    body: dict[str, Any] = {"code": code, "message": text, "hint": hint}
    if field:
        body["field"] = field
    headers = {"Cache-Control": "no-store"}
    if retry_after_s:
        headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)


def _on_web_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, WebError)  # noqa: S101 - registered for this type
    text, hint = message(exc.code, tongue(request), **exc.words)
    return answer(exc.status, exc.code, text, hint, field=exc.field, retry_after_s=exc.retry_after_s)


def _on_cadencia_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, CadenciaError)  # noqa: S101 - registered for this type
    status = next((status for kind, status in _STATUS if isinstance(exc, kind)), 500)
    if status >= 500:
        log.warning("web.request_failed", code=exc.code, status=status, error=type(exc).__name__)
    language = tongue(request)
    text, hint = spoken(exc.message, language), spoken(exc.hint, language)
    return answer(status, exc.code, text, hint, retry_after_s=2 if exc.retryable else 0)


def _on_invalid(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - registered for this type
    first = exc.errors()[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    field = ".".join(place) or "body"
    text = field_problem(first["type"], field, tongue(request))
    return answer(422, "CAD-WEB-INVALID", text, field=field)


def _on_http(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, PlainHTTPException)  # noqa: S101 - registered for this type
    code = {404: "CAD-WEB-NOT-FOUND", 405: "CAD-WEB-METHOD"}.get(exc.status_code, "CAD-WEB-INVALID")
    return answer(exc.status_code, code, *message(code, tongue(request)))


def _on_bug(request: Request, exc: Exception) -> JSONResponse:
    # The type is enough to find the place in the traceback of the log; the message could hold somebody's data.
    log.error("web.bug", error=type(exc).__name__, path=request.scope.get("path", ""), exc_info=exc)
    return answer(500, "CAD-WEB-BUG", *message("CAD-WEB-BUG", tongue(request)))


def install(app: FastAPI) -> None:
    """Tell every error in the one form."""
    app.add_exception_handler(WebError, _on_web_error)
    app.add_exception_handler(CadenciaError, _on_cadencia_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(PlainHTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
