"""For users' own tests: Hypothesis strategies for Hessians and layers.

A test of your own; the first call of a compiled function takes seconds, hence no deadline::

    from hypothesis import given, settings
    from quipref.testing.strategies import layers, seeded_layers

    @settings(deadline=None)
    @given(layers() | seeded_layers())
    def test_my_rounder_keeps_the_bound(layer):
        U, D = quipref.ldl(layer.H)
        loss = quipref.proxy_loss(layer.W, my_rounder(layer.W, layer.H), layer.H)
        assert loss <= len(layer.W) / 4 * D.sum() * (1 + 1e-9)
"""
