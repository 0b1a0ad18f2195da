"""An example of the picture of the gallery, as in pictures.py."""

import numpy as np

from quipref.figures import gallery
from quipref.gallery.measure import Place


def made_up(factor):
    """Places of all ideas that have a look and of one that has none, on lines above the limit."""
    names = [*gallery.LOOKS, "your own"]
    return [
        Place(name, 0, 0, bits + 0.05, factor * (1.3 + 0.2 * i) * 4.0**-bits)
        for i, name in enumerate(names)
        for bits in np.arange(1, 5)
    ]


def gallery_rate_distortion():
    return gallery.rate_distortion({"Gaussian": made_up(1.0), "layers.0.attn.o": made_up(1.4)})


TOPICS = (gallery,)
EXAMPLES = {gallery.rate_distortion: gallery_rate_distortion}
