"""The planted bugs that each test of QTIP's trellis and of its storage must notice."""

TEETH = {
    "TestT1BitshiftTrellis": {
        "test_the_edges_are_these_in_both_directions": (
            "trellis: new bits at the top",
            "trellis: shift by k, not kV",
            "trellis: predecessors are successors",
            "trellis: predecessors with their branch in the low bits",
            "walks: every pair follows",
            "walks: backwards in time",
        ),
        "test_every_degree_is_the_number_of_branches": (
            "trellis: the lowest new bit always set",
            "trellis: shift by k, not kV",
        ),
        "test_the_windows_of_any_stream_are_a_walk": (
            "trellis: new bits at the top",
            "trellis: the lowest new bit always set",
            "trellis: predecessors are successors",
            "walks: backwards in time",
        ),
        "test_every_walk_is_the_windows_of_a_stream": (
            "trellis: new bits at the top",
            "trellis: shift by k, not kV",
            "trellis: the lowest new bit always set",
        ),
    },
    "TestT2Storage": {
        "test_there_are_as_many_walks_as_their_bits_can_tell_apart": (
            "storage: a whole state for the free start",
            "storage: a circle counts as a free start",
            "storage: a free start counts as a circle",
            "trellis: shift by k, not kV",
        ),
        "test_a_walk_bites_its_tail_if_its_ends_agree": (
            "walks: every walk bites its tail",
            "walks: the first state follows itself",
        ),
        "test_a_tail_biting_walk_comes_back_from_its_bits": (
            "packing: the low bits of a state",
            "packing: lowest bit first",
            "packing: words byte by byte",
            "packing: pairs always swapped",
            "packing: windows the wrong way round",
            "packing: no half symbols",
            "packing: the circle is not closed",
        ),
        "test_the_other_layout_keeps_the_low_bits": (
            "packing: the high bits of a state",
            "packing: pairs not swapped",
            "packing: windows the wrong way round",
            "packing: no half symbols",
            "packing: the circle is not closed",
        ),
        "test_figure_2": (
            "packing: the low bits of a state",
            "packing: lowest bit first",
            "storage: a whole state for the free start",
        ),
        "test_false_that_a_free_start_costs_nothing": ("walks: every walk bites its tail",),
        "test_false_that_a_circle_may_be_shorter_than_a_state": ("trellis: the lowest new bit always set",),
    },
}
