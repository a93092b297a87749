"""The API's description: FastAPI's own, with the views' schemas put in by msgspec, which encodes them."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_REF = "#/components/schemas/{name}"
_shown: set[type] = set()


def shows(view: type) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for its description."""
    _shown.add(view)
    return {200: {"content": {"application/json": {"schema": {"$ref": _REF.format(name=view.__name__)}}}}}


def describe(app: FastAPI) -> None:
    """Let the application describe itself at GET /api/openapi.json."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            _, views = msgspec.json.schema_components(sorted(_shown, key=lambda t: t.__name__), ref_template=_REF)
            schema.setdefault("components", {}).setdefault("schemas", {}).update(views)
            schema["components"]["securitySchemes"] = {
                "session": {"type": "apiKey", "in": "cookie", "name": "cadencia_session"},
                "token": {"type": "http", "scheme": "bearer"},
            }
            schema["security"] = [{"session": []}, {"token": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
