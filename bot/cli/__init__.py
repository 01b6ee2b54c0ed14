"""Cli: the groups of the command line that `main.py` puts together. What a command does is in `bot/commands`,
imported when it is called, so that --help is quick."""
