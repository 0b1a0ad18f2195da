"""Lattices and codebooks in eight dimensions: E8, QuIP#'s E8P, and residual codebooks on top of it."""
