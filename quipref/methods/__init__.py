"""The published methods, one a file: (W, H) -> QuantizedLayer."""
