"""The picture of the tour: quality against rate."""

from quipref.figures.style import COLOURS, MARKERS, WIDTH, label, page

EXTRA = "^<>Xhd"  # markers of methods that have none in the house style


def rate_and_quality(rows):
    """Bits per byte of the quantized model against the stored bits per weight, a line a row of the tour.

    Parameters
    ----------
    rows : list of quipref.tour.Row
        The original model first, as `quipref.tour.run` returns them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    about = "Bits per byte of the quantized model falls towards the original's as more bits per weight are stored."
    original, *quantized = rows
    series = {}
    for row in quantized:
        series.setdefault(row.label, []).append(row)
    with page(WIDTH, 4.4, about=about) as (figure, axes):
        methods = [points[0].method for points in series.values()]
        for i, (name, points) in enumerate(series.items()):
            _line(axes, i, name, points, variant=methods[i] in methods[:i])
        text = f"original, 16 bits a weight: {original.bits_per_byte:.3f}"
        axes.axhline(original.bits_per_byte, color=COLOURS["ink"], linestyle=":", linewidth=1, label=text)
        axes.grid(axis="y")
        axes.legend(loc="upper right")
        label(
            axes,
            "Every linear layer of the small language model, quantized",
            "stored bits a weight: codes, scales and headers",
            "bits a byte on held-out text; lower is better",
        )
    return figure


def _line(axes, i, name, points, variant):
    """One row; a method's second one is dashed, and later markers are smaller, so that equal points stay visible."""
    method = points[0].method
    axes.plot(
        [p.bits_per_weight for p in points],
        [p.bits_per_byte for p in points],
        color=COLOURS.get(method, COLOURS["muted"]),
        marker=MARKERS.get(method, EXTRA[i % len(EXTRA)]),
        markersize=max(6.0, 11.0 - 2.5 * i) if not variant else 5.0,
        markerfacecolor="white" if variant else None,
        linestyle="--" if variant else "-",
        label=name,
    )


def save(rows, path):
    """Write the picture as PNG."""
    rate_and_quality(rows).savefig(path, format="png")
