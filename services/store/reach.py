"""Reach: which tables a statement touches, and whether every row of theirs is bound to one tenant.

Read from the statement itself, once for each that is compiled. A table is bound where its tenant is compared
with a parameter, or with the tenant of another that is bound; what joins or filters by anything else is not.
Whatever is not understood is not bound.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, Grouping
from sqlalchemy.sql.selectable import (
    CTE,
    AliasedReturnsRows,
    CompoundSelect,
    FromClause,
    Join,
    Select,
    SelectStatementGrouping,
    Subquery,
)

from services.store.schema import metadata

SELECT, INSERT, UPDATE, DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"


@dataclass(frozen=True)
class Reach:
    """`uses`: (table, what is done with it). `names`: the parameters that have to be the tenant. `unbound`: a
    table, or what else is to blame, where not every row is a tenant's; None where all are."""

    uses: frozenset[tuple[str, str]] = frozenset()
    names: tuple[str, ...] = ()
    unbound: str | None = None


def tenant_column(table: str) -> str | None:
    """The column that names the tenant; None where the table's rows are the installation's."""
    if table == "tenants":
        return "id"
    known = metadata.tables.get(table)
    return "tenant_id" if known is not None and "tenant_id" in known.c else None


def reach(statement: Any, compiled: Any) -> Reach:
    """Of a statement as it was compiled. What is no statement of rows (a savepoint) touches nothing."""
    reader = _Reader(compiled)
    if isinstance(statement, Select | CompoundSelect | SelectStatementGrouping):
        reader.rows(statement, set())
    elif isinstance(statement, Insert):
        reader.insert(statement)
    elif isinstance(statement, Update | Delete):
        reader.change(statement)
    elif isinstance(statement, sa.TextClause):
        reader.blame("a text")
    return Reach(frozenset(reader.uses), tuple(dict.fromkeys(reader.names)), reader.unbound)


@dataclass
class _Level:
    """One SELECT: what it is from, what is bound of that, and what of its equalities may still bind."""

    leaves: list[FromClause] = field(default_factory=list)
    bound: set[FromClause] = field(default_factory=set)
    # Where the first is bound, the second is.
    ties: list[tuple[FromClause, FromClause]] = field(default_factory=list)


class _Reader:
    def __init__(self, compiled: Any) -> None:
        self.uses: set[tuple[str, str]] = set()
        self.names: list[str] = []
        self.unbound: str | None = None
        self._compiled = compiled
        self._seen: set[int] = set()

    def blame(self, what: str) -> None:
        self.unbound = self.unbound or what

    # --- what is read --------------------------------------------------------------------------------

    def rows(self, statement: Any, around: set[FromClause]) -> None:
        """`around`: what is bound in the statement that this one stands in, and may be spoken of."""
        if id(statement) in self._seen:
            return
        self._seen.add(id(statement))
        match statement:
            case Select():
                self._select(statement, around)
            case CompoundSelect():
                for each in statement.selects:
                    self.rows(each, around)
            case SelectStatementGrouping():
                self.rows(statement.element, around)
            case Insert():
                self.insert(statement)
            case Update() | Delete():
                self.change(statement)
            case _:
                self.blame(type(statement).__name__)

    def _select(self, select: Any, around: set[FromClause]) -> None:
        level = _Level(bound=set(around))
        for origin in self._froms(select):
            self._origin(origin, level)
        if select._for_update_arg is not None:  # noqa: SLF001
            self._locks(select._for_update_arg, level)  # noqa: SLF001
        self._ties(select.whereclause, level, only=None)
        self._conclude(level)
        self._inside(self._expressions(select), level.bound)

    def _expressions(self, select: Any) -> Iterator[Any]:
        yield from select._raw_columns  # noqa: SLF001
        yield from (part for part in (select.whereclause, *select._having_criteria) if part is not None)  # noqa: SLF001
        yield from select._order_by_clauses  # noqa: SLF001
        yield from select._group_by_clauses  # noqa: SLF001
        for origin in self._froms(select):
            yield from _conditions(origin)

    def _froms(self, select: Any) -> list[FromClause]:
        """As `get_final_froms`, which compiles the statement anew, and without what it is compiled for."""
        state = select._compile_state_factory(select, self._compiled)  # noqa: SLF001
        return list(state._get_display_froms())  # noqa: SLF001

    def _locks(self, locks: Any, level: _Level) -> None:
        of = {getattr(each, "table", each) for each in locks.of or level.leaves}
        for each in of:
            if (name := _name(each)) is not None:
                self.uses.add((name, UPDATE))

    def _origin(self, origin: Any, level: _Level) -> None:
        """What a FROM names. The conditions of an outer join bind what is joined, never the other side."""
        if isinstance(origin, Join):
            self._origin(origin.left, level)
            before = len(level.leaves)
            self._origin(origin.right, level)
            if origin.full:
                self.blame("a full join")
            elif origin.isouter:
                self._ties(origin.onclause, level, only=set(level.leaves[before:]))
            else:
                self._ties(origin.onclause, level, only=None)
            return
        if origin in level.bound:
            return  # of the statement around it
        level.leaves.append(origin)
        name = _name(origin)
        if name is not None:
            self.uses.add((name, SELECT))
            return
        level.bound.add(origin)  # by what stands in it
        inner = origin
        while isinstance(inner, AliasedReturnsRows) and not isinstance(inner, Subquery | CTE):
            inner = inner.element
        if isinstance(inner, Subquery | CTE):
            self.rows(inner.element, set())
        elif not isinstance(inner, sa.sql.functions.FunctionElement | sa.Values):
            self.blame(type(inner).__name__)

    def _conclude(self, level: _Level) -> None:
        bound = level.bound
        while more := {to for since, to in level.ties if since in bound and to not in bound}:
            bound |= more
        for leaf in level.leaves:
            name = _name(leaf)
            if name is not None and leaf not in bound and tenant_column(name) is not None:
                self.blame(name)

    def _ties(self, condition: Any, level: _Level, *, only: set[FromClause] | None) -> None:
        for part in _all_of(condition):
            if not isinstance(part, BinaryExpression) or part.operator not in (operators.eq, operators.in_op):
                continue
            one, other = _bare(part.left), _bare(part.right)
            for here, there in ((one, other), (other, one)):
                leaf = _tenant_of(here)
                if leaf is None or (only is not None and leaf not in only):
                    continue
                if isinstance(there, BindParameter):
                    level.bound.add(leaf)
                    self._name(there)
                elif (tied := _tenant_of(there)) is not None and part.operator is operators.eq:
                    level.ties.append((tied, leaf))

    def _inside(self, expressions: Iterable[Any], bound: set[FromClause]) -> None:
        """The statements within conditions and columns."""
        for expression in expressions:
            if isinstance(expression, Select | CompoundSelect | SelectStatementGrouping):
                self.rows(expression, bound)
            elif not isinstance(expression, FromClause):
                self._inside(expression.get_children(), bound)

    # --- what is written -----------------------------------------------------------------------------

    def insert(self, statement: Any) -> None:
        name = str(statement.table.name)
        self.uses.add((name, INSERT))
        if statement._returning:  # noqa: SLF001
            self.uses.add((name, SELECT))
        conflict = statement._post_values_clause  # noqa: SLF001
        if getattr(conflict, "update_values_to_set", None):
            self.uses |= {(name, UPDATE), (name, SELECT)}
        column = tenant_column(name)
        if statement.select is not None:
            self.rows(statement.select, set())
            self.blame(f"INSERT INTO {name} of what is selected")
        elif column is not None and not self._given(statement, column):
            self.blame(name)

    def _given(self, statement: Any, column: str) -> bool:
        """The tenants that are inserted: under the column's name, or numbered where there are several."""
        binds = self._compiled.binds
        found = [name for name in binds if name == column or _numbered(name, column)]
        values = statement._values or {}  # noqa: SLF001
        told = next((value for key, value in values.items() if getattr(key, "name", key) == column), None)
        if told is not None and not isinstance(told, BindParameter):
            return False
        if not found and told in self._compiled.bind_names:
            found = [self._compiled.bind_names[told]]
        self.names += found
        return bool(found)

    def change(self, statement: Any) -> None:
        table = statement.table
        name, column = _name(table), None if _name(table) is None else tenant_column(str(_name(table)))
        if name is None:
            self.blame(type(table).__name__)
            return
        self.uses |= {(name, UPDATE if isinstance(statement, Update) else DELETE), (name, SELECT)}
        values = (getattr(statement, "_values", None) or {}).items()
        if any(getattr(key, "name", key) == column for key, _ in values):
            self.blame(f"{name} given to another")
        level = _Level([table])
        condition = statement.whereclause
        for origin in () if condition is None else condition._from_objects:  # noqa: SLF001
            if origin is not table and origin not in level.leaves:
                self._origin(origin, level)
        self._ties(condition, level, only=None)
        self._conclude(level)
        self._inside([] if condition is None else [condition], level.bound)
        self._inside((value for _, value in values if hasattr(value, "get_children")), level.bound)

    def _name(self, bind: Any) -> None:
        self.names.append(self._compiled.bind_names.get(bind, bind.key))


def _all_of(condition: Any) -> Iterator[Any]:
    """The parts of a condition that hold all at once."""
    condition = _bare(condition)
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _all_of(part)
    elif condition is not None:
        yield condition


def _conditions(origin: Any) -> Iterator[Any]:
    if isinstance(origin, Join):
        yield from (*_conditions(origin.left), *_conditions(origin.right))
        if origin.onclause is not None:
            yield origin.onclause


def _bare(element: Any) -> Any:
    while isinstance(element, Grouping):
        element = element.element
    return element


def _name(origin: Any) -> str | None:
    """The table's, also under another name; None where it is none."""
    while isinstance(origin, AliasedReturnsRows) and not isinstance(origin, Subquery | CTE):
        origin = origin.element
    return str(origin.name) if isinstance(origin, sa.TableClause) else None


def _tenant_of(column: Any) -> FromClause | None:
    """Of what this is the tenant; None where it is no such column."""
    origin = getattr(column, "table", None)
    if origin is None or not isinstance(column, sa.ColumnClause):
        return None
    name = _name(origin)
    if name is None:
        return origin if column.name == "tenant_id" else None  # of a subquery, whose rows are bound or not
    return origin if column.name == tenant_column(name) else None


def _numbered(name: str, column: str) -> bool:
    return name.startswith(f"{column}_m") and name[len(column) + 2 :].isdigit()
