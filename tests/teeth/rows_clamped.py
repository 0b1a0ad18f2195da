"""The planted bugs that each test of QuIP's algorithm 5 must notice."""

TEETH = {
    "TestQ10Clamped": {
        "test_with_room_enough_it_is_ldlq": ("clamped: V fed back", "clamped: no feedback"),
        "test_without_room_it_is_plain_rounding": ("clamped: no limits", "clamped: 1 + c for c"),
        "test_more_room_never_costs": ("clamped: 1/c for c",),
        "test_no_column_exceeds_its_limit": (
            "clamped: no limits",
            "clamped: 1 + c for c",
            "clamped: rows limited",
            "clamped: V fed back",
        ),
        "test_the_trace_is_proven_to_be_the_least": (
            "clamped: no feedback",
            "clamped: LDLQ's columns shortened, and no step",
            "clamped: gap not computed",
            "clamped: multipliers lost",
            "clamped: the length limited by c, not its square",
            "clamped: V fed back",
        ),
        "test_no_feedback_within_the_limits_has_a_smaller_trace": (
            "clamped: no feedback",
            "clamped: the length limited by c, not its square",
        ),
        "test_the_mean_loss_is_a_quarter_of_the_trace_at_most": (
            "clamped: V fed back",
            "bounds: m/5 in the worst case",
        ),
        "test_no_weight_strays_more_often_than_the_tail_allows": (
            "clamped: no limits",
            "bounds: twice the exponent of the straying tail",
        ),
        "test_a_sum_of_half_steps_strays_as_often_as_it_may": (
            "clamped: no limits",
            "clamped: no feedback",
            "bounds: twice the exponent of the straying tail",
            "grid: u on [-1/4, 3/4)",
        ),
        "test_on_a_grid_with_room_at_its_ends_nothing_is_clamped": (
            "clamped: no limits",
            "bounds: a quarter of the margin",
        ),
        "test_false_that_ldlq_stays_near": ("clamped: no feedback",),
    },
    "TestQ10PrimeRegularizedTrace": {
        "test_the_least_trace_is_bounded": ("bounds: half the clamped trace", "bounds: room below one for nothing"),
        "test_a_multiple_of_the_identity_reaches_it": ("bounds: half the clamped trace",),
        "test_one_hadamard_vector_reaches_it_with_room_one": ("bounds: half the clamped trace", "clamped: no feedback"),
        "test_false_that_room_below_one_costs_nothing": (
            "bounds: room below one for nothing",
            "clamped: no limits",
            "clamped: no feedback",
        ),
    },
}
