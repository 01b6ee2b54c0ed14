"""Privacy: what is held of a customer, shown, erased, and kept no longer than it is needed.

`places` says of every column what becomes of it; `standing` what stands in the way of an erasure; `detach`,
`sweep` and `erase` are its three steps, in this order; `held` tells a person what is held of them; and
`retention` forgets what has grown old.
"""
