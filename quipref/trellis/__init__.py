"""Trellis codes: the bit-shift trellis, the values of its states, the search for the best walk, and its bits."""
