"""Reconciliation: the ledger, our attempts, and the provider's statement, laid beside each other.

`facts` has the words, `matching` finds which line is which of ours, `compare` says where they do not fit
together; these know no database. `theirs` and `ours` read both sides, `record` keeps what was found.
"""
