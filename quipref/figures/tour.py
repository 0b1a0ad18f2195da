"""The picture of the tour: quality against rate."""

from matplotlib.figure import Figure

MARKERS = "os^Dv<>Pp*"


def rate_and_quality(rows):
    """Bits per byte of the quantized model against the stored bits per weight, a line a method."""
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    original, *quantized = rows
    series = {}
    for row in quantized:
        series.setdefault(row.label, []).append(row)
    for i, (label, points) in enumerate(series.items()):
        x, y = [p.bits_per_weight for p in points], [p.bits_per_byte for p in points]
        size = 11 - 2.5 * min(i, 3)  # equal results stay visible: later markers are smaller and lie on top
        axes.plot(x, y, marker=MARKERS[i % len(MARKERS)], markersize=size, label=label, linewidth=1.2, alpha=0.85)
    axes.axhline(original.bits_per_byte, color="black", linestyle=":", linewidth=1)
    axes.annotate(
        f"original, 16 bits a weight: {original.bits_per_byte:.3f}",
        (1, original.bits_per_byte),
        xycoords=("axes fraction", "data"),
        xytext=(-6, -4),
        textcoords="offset points",
        ha="right",
        va="top",
    )
    axes.margins(y=0.12)
    axes.set_xlabel("stored bits per weight (codes, scales and headers)")
    axes.set_ylabel("bits per byte on held-out text (lower is better)")
    axes.set_title("The small language model, every linear layer quantized")
    axes.grid(alpha=0.3)
    axes.legend(title="method")
    return figure


def save(rows, path):
    """Write the picture as PNG."""
    rate_and_quality(rows).savefig(path, dpi=120, format="png")
