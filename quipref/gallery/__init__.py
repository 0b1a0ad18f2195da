"""Rounding ideas from the literature, one short file each; `entries` lists them and `measure` compares them."""
