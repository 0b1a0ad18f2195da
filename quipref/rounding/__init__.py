"""Rounding with and without feedback: grids, LDLQ, OPTQ, Babai, greedy descent."""
