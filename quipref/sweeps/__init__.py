"""Sweeps: bounds checked on many random layers; `run` asks, `trials` answers, `records` keeps what was found."""
