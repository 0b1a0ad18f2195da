"""The tally of the planted bugs, at the end of each run that had any."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    """Print, class by class, how many of the planted bugs were noticed."""
    noticed, missed = (_by_class(terminalreporter, outcome) for outcome in ("passed", "failed"))
    if not (noticed or missed):
        return
    terminalreporter.section("planted bugs")
    width = max(map(len, noticed | missed))
    for name in sorted(noticed | missed):
        caught = f"{noticed[name]:3} of {noticed[name] + missed[name]:3} noticed"
        terminalreporter.line(f"{name.ljust(width)} {caught}{'' if not missed[name] else '  <- no teeth'}")
    terminalreporter.line(f"{'all'.ljust(width)} {noticed.total():3} of {(noticed + missed).total():3} noticed")


def _by_class(reporter, outcome):
    """How many tests of `test_under_a_bug_the_theorem_fails` came out so, for each class of theorems."""
    names = (report.nodeid for report in reporter.getreports(outcome) if report.when == "call")
    return Counter(
        name.rpartition("-")[2].partition(".")[0] for name in names if "test_under_a_bug_the_theorem_fails[" in name
    )
