"""The checks that rounders and block quantizers are put through, one module a tier."""
