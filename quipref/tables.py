"""Markdown tables whose columns line up, so that they read well in a terminal too."""


def markdown(headings, lines):
    """The table of `headings` and rows of strings, the first column to the left, the others to the right.

    A column without content is left out.
    """
    columns = [column for column in zip(headings, *lines, strict=True) if any(column[1:])]
    widths = [max(2, *map(len, column)) for column in columns]  # a rule of one character has no room for its hyphen
    rule = [":".rjust(width, "-") if i else "-" * width for i, width in enumerate(widths)]
    heading, *lines = zip(*columns, strict=True)
    return "\n".join(_line(line, widths) for line in (heading, rule, *lines))


def _line(cells, widths):
    first, *rest = zip(cells, widths, strict=True)
    return "| " + " | ".join((first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest))) + " |"
