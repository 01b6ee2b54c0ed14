"""Cli: the commands of the command line, a module for each group; `main.py` puts them together. What a
command does is in `bot/commands`; it is imported when the command is called, so that --help is quick."""
