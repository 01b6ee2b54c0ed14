"""Statements as files: a module per form, and `making`, which reads and writes a page at a time."""
