"""Commands: what operators do from the command line. Each gives back data for JSON, which `bot/cli` and
`main.py` show."""
