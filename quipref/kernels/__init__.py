"""Numba twins of the reference functions; reached through `quipref.backend.twin` alone."""
