"""For users' own tests: Hypothesis strategies for Hessians and layers."""
