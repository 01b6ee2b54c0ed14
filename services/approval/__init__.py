"""Approval: one person asks for an operation, others approve it, and the database is the referee.

Withdrawals, refunds, changes of settings, batches and delegations are *kinds* of operations. A kind's
own module keeps what is to be done in a table of its own, under the operation's id, and does it once `add`
answers True:

    await approval.ask(work, KIND, operation_id, maker, facts, needed=1, expires_at=...)  -> its digest
    await approval.may_approve(work, KIND, approver, operation_id, shown_digest, facts)  -> the operation
    await approval.add(work, KIND, approver, operation)      -> True with the last one needed
    await approval.reject(work, KIND, approver, operation_id, reason)
    await approval.cancel(work, KIND, person, operation_id, reason)
    await approval.expire(work, KIND, operation_id)          -> True where its time was over
    await approval.stands(work, KIND, operation_id, facts)   -> asked again in the transaction that acts
    await approval.ask_again(work, KIND, operation_id, facts, needed=1, expires_at=...)  -> no more enough
    await approval.ask_more(work, KIND, operation_id, facts, needed)  -> True where it waited for fewer
    await approval.pass_on(work, operation, KIND, OTHER, {id: facts})  -> each of many, approved by the same

`facts` are everything that decides what is done: plain values, the same at every call as long as nobody
has changed the rows that they are read from.
"""

from services.approval.asking import ask, ask_again, ask_more
from services.approval.deciding import (
    add,
    cancel,
    expire,
    forget,
    may_approve,
    reject,
    void,
)
from services.approval.passing import pass_on
from services.approval.record import Kind, approvers, as_it_stands, digest, given, locked, stands, whose_right

__all__ = [
    "Kind",
    "add",
    "approvers",
    "as_it_stands",
    "ask",
    "ask_again",
    "ask_more",
    "cancel",
    "digest",
    "expire",
    "forget",
    "given",
    "locked",
    "may_approve",
    "pass_on",
    "reject",
    "stands",
    "void",
    "whose_right",
]
