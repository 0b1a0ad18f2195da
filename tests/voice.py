"""How tests ask for an error: its type and the words it must hold."""

import re

import pytest


def says(error, *words):
    """`pytest.raises`, where the message must hold all the words, in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(re.escape(word) for word in words))
