"""The planted bugs that each test of the Gaussian source and of classical quantizers must notice."""

TEETH = {
    "TestT5RateDistortion": {
        "test_no_trellis_code_beats_the_limit": (
            "trellis: the free start costs nothing",
            "gaussian: D(R) of one half a bit",
        ),
        "test_nor_does_a_trellis_coded_quantizer": (
            "tcq: the start costs nothing and more",
            "tcq: any level at any step",
            "tcq: one bit of the subset",
        ),
        "test_nor_any_scalar_quantizer": (
            "gaussian: D(R) of one half a bit",
            "gaussian: the error of the levels alone",
        ),
        "test_false_that_k_bits_a_step_are_all_the_bits": (
            "viterbi: ends always tied",
            "trellis: the free start costs nothing",
        ),
        "test_false_that_the_limit_holds_for_each_sequence": (
            "gaussian: every target on its level",
            "gaussian: the error of the first level",
        ),
    },
    "TestC1LloydMax": {
        "test_levels_are_centroids_and_edges_midpoints": (
            "gaussian: the levels of the limit",
            "gaussian: levels one per cent too wide",
            "gaussian: uniform levels",
            "gaussian: edges at the lower levels",
        ),
        "test_no_other_quantizer_is_better": (
            "gaussian: the levels of the limit",
            "gaussian: levels one per cent too wide",
        ),
        "test_the_published_numbers": (
            "gaussian: the levels of the limit",
            "gaussian: uniform levels",
            "gaussian: the error of the levels alone",
        ),
    },
    "TestC2PanterDite": {
        "test_the_limit_is_approached_from_below": (
            "gaussian: Panter and Dite with pi sqrt(3) / 4",
            "gaussian: uniform levels",
        ),
        "test_it_is_a_constant_above_the_limit_of_any_code": ("gaussian: Panter and Dite with pi sqrt(3) / 4",),
        "test_false_that_uniform_levels_come_as_close": ("gaussian: best levels for uniform ones",),
    },
    "TestC3TrellisCodedQuantization": {
        "test_the_published_ratios": (
            "tcq: subsets in blocks",
            "tcq: one bit of the subset",
            "tcq: the parity checks exchanged",
            "tcq: levels as they start",
            "tcq: any level at any step",
        ),
    },
}
