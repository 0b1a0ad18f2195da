"""Weights as other programs store them, read and written to the bit."""
