"""The commands of the command line, a file for each kind: `add` makes their parsers, `run_...` does the work."""
