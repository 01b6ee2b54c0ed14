"""Routes: what each call takes stands beside its handler, its scope first, so that none is without."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.errors import NotFound
from services.people.tenants import Tenant
from services.work import Work

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request whose caller is known and may make it. `body` is the route's own model."""

    work: Work
    tenant: Tenant
    person: UUID
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    @property
    def currency(self) -> str:
        return self.tenant.shop.currency

    def id(self, what: str, name: str = "id") -> UUID:
        """From the path. Raises NotFound for what is no id at all."""
        try:
            return UUID(self.params[name])
        except ValueError:
            raise NotFound(what) from None


@dataclass(frozen=True)
class Reply:
    """`status` where it is not the route's usual one."""

    body: Json
    headers: Mapping[str, str] | None = None
    status: int | None = None


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """`scopes`: one of them is enough."""

    method: str
    path: str
    scopes: tuple[str, ...]
    handler: Handler
    body: type[BaseModel] | None
    success: int


class Routes:
    """The calls of one part of the API."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def get(self, path: str, *scopes: str) -> Callable[[Handler], Handler]:
        return self._add("GET", path, scopes, None, 200)

    def post(
        self, path: str, *scopes: str, body: type[BaseModel], success: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("POST", path, scopes, body, success)

    def _add(
        self, method: str, path: str, scopes: tuple[str, ...], body: type[BaseModel] | None, success: int
    ) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self.all.append(Route(method, f"/api/v1{path}", scopes, handler, body, success))
            return handler

        return added
