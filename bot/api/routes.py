"""Routes: what each call takes stands beside its handler, its scope first, so that none is without."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from bot.api import files
from bot.paper.statement.making import Wanted
from services.errors import NotFound
from services.people.tenants import Tenant
from services.work import Work

Json = dict[str, Any]
MOST_BYTES = 64 * 1024  # of a body, unless a route takes more


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
    public_url: str

    @property
    def currency(self) -> str:
        return self.tenant.shop.currency

    def id(self, what: str, name: str = "id") -> UUID:
        """From the path. Raises NotFound for what is no id at all."""
        return id_of(self.params[name], what)


def id_of(text: str, what: str) -> UUID:
    """As we write it. Raises NotFound for what is no id at all."""
    try:
        found = UUID(text)
    except ValueError:
        raise NotFound(what) from None
    if str(found) != text.lower():
        raise NotFound(what)
    return found


@dataclass(frozen=True)
class Reply:
    """`status` where it is not the route's usual one."""

    body: Json
    headers: Mapping[str, str] | None = None
    status: int | None = None


@dataclass(frozen=True)
class Download:
    """A file instead of a body: it is made once the call has let go of its connection."""

    wanted: Wanted
    name: str
    media_type: str


Handler = Callable[[Call], Awaitable["Reply | Download"]]


@dataclass(frozen=True)
class Route:
    """`scopes`: one of them is enough; `query`: the names that may stand in it."""

    method: str
    path: str
    scopes: tuple[str, ...]
    handler: Handler
    body: type[BaseModel] | None = None
    success: int = 200
    query: tuple[str, ...] = ()
    most_bytes: int = MOST_BYTES
    file: bool = False  # the body is one


class Routes:
    """The calls of one part of the API."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def get(self, path: str, *scopes: str, query: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
        return self._add("GET", path, scopes, query=query)

    def post(
        self,
        path: str,
        *scopes: str,
        body: type[BaseModel],
        success: int = 200,
        most_bytes: int = MOST_BYTES,
    ) -> Callable[[Handler], Handler]:
        return self._add("POST", path, scopes, body=body, success=success, most_bytes=most_bytes)

    def file(self, path: str, *scopes: str, success: int = 200) -> Callable[[Handler], Handler]:
        """A POST of which the body is a file."""
        return self._add("POST", path, scopes, file=True, success=success, most_bytes=files.MOST_BYTES)

    def put(self, path: str, *scopes: str, body: type[BaseModel]) -> Callable[[Handler], Handler]:
        return self._add("PUT", path, scopes, body=body)

    def delete(self, path: str, *scopes: str) -> Callable[[Handler], Handler]:
        return self._add("DELETE", path, scopes)

    def _add(
        self, method: str, path: str, scopes: tuple[str, ...], **more: Any
    ) -> Callable[[Handler], Handler]:
        def added(handler: Handler) -> Handler:
            self.all.append(Route(method, f"/api/v1{path}", scopes, handler, **more))
            return handler

        return added
