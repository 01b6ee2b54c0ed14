"""Schedules: withdrawals that come again by themselves, approved once by two people.

pending -> active (approved) -> ended (its last day is over)
active <-> stopped (by any owner, at once)
active -> resting: what it was approved upon no longer holds; a new one is asked for
"""
