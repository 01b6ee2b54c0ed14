"""Routes: what each call takes and answers stands beside its handler, its scope first: none is without."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from bot.api import files
from bot.api.answers import Answer
from bot.api.queries import Query
from bot.paper.statement.making import Wanted
from services.errors import NotFound
from services.people.access import SCOPES
from services.people.tenants import Tenant
from services.work import Work

MOST_BYTES = 64 * 1024  # of a body, unless a route takes more
A = TypeVar("A", bound=Answer)
A_co = TypeVar("A_co", bound=Answer, covariant=True)


@dataclass(frozen=True)
class Where:
    """The installation's: where it is reached itself, and whether tenants' systems may be on this machine."""

    public_url: str
    loopback: bool


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
    where: Where

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
class Reply(Generic[A_co]):
    """`status` where it is not the route's usual one."""

    answer: A_co
    headers: Mapping[str, str] | None = None
    status: int | None = None


@dataclass(frozen=True)
class Download:
    """A file instead of an answer: it is made once the call has let go of its connection."""

    wanted: Wanted
    name: str
    media_type: str


Handler = Callable[[Call], Awaitable[Reply[A] | Download]]


@dataclass(frozen=True)
class Route:
    """`scopes`: one of them is enough; `also`: another status with the same answer; `downloads`: the media
    types of files that may be asked for instead."""

    part: str
    method: str
    path: str
    scopes: tuple[str, ...]
    handler: Handler[Any]
    answer: type[Answer]
    body: type[BaseModel] | None = None
    success: int = 200
    also: int | None = None
    query: tuple[Query, ...] = ()
    downloads: tuple[str, ...] = ()
    most_bytes: int = MOST_BYTES
    file: bool = False  # the body is one

    @property
    def summary(self) -> str:
        """The first sentence of what the handler says of itself."""
        return _sentence(self.handler.__doc__)[0]

    @property
    def about(self) -> str:
        """The rest of it."""
        return _sentence(self.handler.__doc__)[1]


def _sentence(doc: str | None) -> tuple[str, str]:
    """The first line, without its full stop, and what follows."""
    first, _, rest = inspect.cleandoc(doc or "").partition("\n")
    return first.removesuffix("."), rest.strip()


class Routes:
    """The calls of one part of the API, which is named for its readers."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.all: list[Route] = []

    def get(
        self,
        path: str,
        *scopes: str,
        answer: type[A],
        query: tuple[Query, ...] = (),
        downloads: tuple[str, ...] = (),
    ) -> Callable[[Handler[A]], Handler[A]]:
        return self._add("GET", path, scopes, answer=answer, query=query, downloads=downloads)

    def post(
        self,
        path: str,
        *scopes: str,
        body: type[BaseModel],
        answer: type[A],
        success: int = 200,
        also: int | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Callable[[Handler[A]], Handler[A]]:
        more = {"success": success, "also": also, "most_bytes": most_bytes}
        return self._add("POST", path, scopes, body=body, answer=answer, **more)

    def file(
        self, path: str, *scopes: str, answer: type[A], success: int = 200
    ) -> Callable[[Handler[A]], Handler[A]]:
        """A POST of which the body is a file."""
        more = {"success": success, "most_bytes": files.MOST_BYTES}
        return self._add("POST", path, scopes, answer=answer, file=True, **more)

    def put(
        self, path: str, *scopes: str, body: type[BaseModel], answer: type[A]
    ) -> Callable[[Handler[A]], Handler[A]]:
        return self._add("PUT", path, scopes, body=body, answer=answer)

    def delete(self, path: str, *scopes: str, answer: type[A]) -> Callable[[Handler[A]], Handler[A]]:
        return self._add("DELETE", path, scopes, answer=answer)

    def _add(
        self, method: str, path: str, scopes: tuple[str, ...], **more: Any
    ) -> Callable[[Handler[A]], Handler[A]]:
        """Raises ValueError without a scope: what nobody was given, nobody may do."""
        if not scopes or not set(scopes) <= set(SCOPES):
            raise ValueError(f"{method} {path} names no scope that there is")

        def added(handler: Handler[A]) -> Handler[A]:
            self.all.append(Route(self.part, method, f"/api/v1{path}", scopes, handler, **more))
            return handler

        return added
