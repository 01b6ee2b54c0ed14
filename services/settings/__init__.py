"""Settings: what a tenant changes from inside, under four eyes.

One person asks, another approves; what could make it easier to take money then waits for a day in which
any owner can take it back, and all owners are told at each step. What only makes things safer holds with
the approval. The platform operator's tenant file holds at once (see `services/people/apply.py`).
"""
