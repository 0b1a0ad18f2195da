"""`quipref doctor`: what a bug report needs."""

from quipref.commands import terminal


def add(commands):
    """Add it to the parser."""
    terminal.command(commands, "doctor", run_doctor, "what a bug report needs", "quipref doctor --json")


def run_doctor(options):
    """Print what a bug report needs."""
    from quipref import doctor

    facts = doctor.facts()
    if options.json:
        terminal.print_json(facts)
    else:
        width = max(map(len, facts))
        print("\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items()))
