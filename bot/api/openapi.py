"""The OpenAPI 3.1 document, made of what stands beside the handlers: routes, bodies, answers, problems."""

import json
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from bot.api import openapi_webhooks
from bot.api.every import ROUTES
from bot.api.openapi_words import ABOUT, HEADERS, KEYS, PARAMETERS, PROBLEM, SCHEMAS, answer, statuses, told
from bot.api.queries import CURSOR, Query
from bot.api.routes import Route

Json = dict[str, Any]
Refs = dict[Any, Json]  # by model


def written() -> str:
    """As `docs/openapi.json` has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Json:
    """In the order of the routes."""
    schemas, refs = _schemas()
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    problems = {each for route in ROUTES for each in statuses(route)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lipachat", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in KEYS],
        "tags": [{"name": part} for part in dict.fromkeys(route.part for route in ROUTES)],
        "paths": paths,
        "webhooks": openapi_webhooks.webhooks(refs),
        "components": {
            "responses": {str(each): answer(each) for each in sorted(problems)},
            "schemas": {"Problem": PROBLEM} | {name: schemas[name] for name in sorted(schemas)},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": KEYS,
        },
    }


class _Names(GenerateJsonSchema):
    def normalize_name(self, name: str) -> str:
        """A page of orders is an OrderList."""
        return super().normalize_name(re.sub(r"^Page\[(\w+)\]$", r"\1List", name))


def _schemas() -> tuple[Json, Refs]:
    """Those of all bodies and answers and of what is in them, by name; and the reference to each."""
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((route.body, "validation") for route in ROUTES if route.body is not None),
        *((route.answer, "serialization") for route in ROUTES),
        *((model, "serialization") for model in openapi_webhooks.MODELS),
    ]
    refs, found = models_json_schema(
        list(dict.fromkeys(modes)), ref_template=f"{SCHEMAS}{{model}}", schema_generator=_Names
    )
    return _plain(found["$defs"]), {model: dict(ref) for (model, _), ref in refs.items()}


def _plain(schema: Any) -> Any:
    """Without the titles that only repeat a field's name."""
    match schema:
        case dict():
            bare = {key: each for key, each in schema.items() if key != "title" or not isinstance(each, str)}
            return {key: _plain(each) for key, each in bare.items()}
        case list():
            return [_plain(each) for each in schema]
    return schema


def _operation(route: Route, refs: Refs) -> Json:
    operation: Json = {
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
        "tags": [route.part],
        "summary": route.summary,
        "description": _description(route),
        "x-required-scopes": list(route.scopes),
        "parameters": _parameters(route),
    }
    if (body := _body(route, refs)) is not None:
        operation["requestBody"] = body
    problems = {str(each): {"$ref": f"#/components/responses/{each}"} for each in statuses(route)}
    return operation | {"responses": _answers(route, refs) | problems}


def _description(route: Route) -> str:
    scopes = " or ".join(f"`{scope}`" for scope in route.scopes)
    return "\n\n".join(filter(None, (route.about, f"It takes the scope {scopes}.")))


def _parameters(route: Route) -> list[Json]:
    ids = re.findall(r"{(\w+)}", route.path)
    common = ["X-TENANT-ID", *(["Idempotency-Key"] if route.method == "POST" else [])]
    return [
        *(
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
            for name in ids
        ),
        *(_query(each) for each in route.query),
        *({"$ref": f"#/components/parameters/{name}"} for name in common),
    ]


def _query(query: Query) -> Json:
    asked = {"name": query.name, "in": "query", "description": query.about, "schema": dict(query.schema)}
    return asked | ({"required": True} if query.required else {})


def _body(route: Route, refs: Refs) -> Json | None:
    if route.file:
        form = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string"}}}
        kinds = {"text/csv": {"type": "string"}, "multipart/form-data": form}
        return {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}
    if route.body is None:
        return None
    needed = any(field.is_required() for field in route.body.model_fields.values())
    return {"required": needed, "content": {"application/json": {"schema": refs[route.body]}}}


def _answers(route: Route, refs: Refs) -> Json:
    content: Json = {"application/json": {"schema": refs[route.answer]}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    content |= {kind.partition(";")[0]: binary for kind in route.downloads}
    headers = ["X-Request-Id"]
    if CURSOR in route.query:
        headers.append("Link")
    if route.method == "POST":
        headers.append("Idempotent-Replayed")
    found = sorted({route.success, route.also or route.success})
    return {str(status): told(status, headers, content) for status in found}
