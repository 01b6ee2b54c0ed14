"""The REST API, version 1: what a shop's own programs may do, by the key of one of its staff."""
