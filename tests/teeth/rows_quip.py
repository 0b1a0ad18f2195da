"""The planted bugs that each test of QuIP and of the classical theorems must notice."""

TEETH = {
    "TestLdlPivots": {
        "test_it_is_the_textbook_recursion": ("ldl: columns in the other order",),
        "test_pivots_are_schur_complements": ("ldl: the diagonal of H for pivots", "ldl: columns in the other order"),
        "test_both_orders_have_the_same_product_of_pivots": ("ldl: square roots of the pivots",),
        "test_false_that_the_sum_of_the_pivots_is_the_same_in_both_orders": ("ldl: columns in the other order",),
    },
    "TestQ1FeedbackClass": {
        "test_one_pass_solves_the_implicit_equation": ("linear_feedback: sign", "grid: truncates"),
        "test_the_loss_is_that_of_the_errors_of_the_targets": (
            "ldl: columns in the other order",
            "proxy: diagonal of H alone",
        ),
        "test_no_feedback_has_a_smaller_price_than_u": ("ldl: columns in the other order",),
        "test_every_other_feedback_has_a_larger_price": ("ldl: the diagonal of H for pivots",),
    },
    "TestQ2aWorstCaseNearest": {
        "test_no_layer_loses_more_than_the_bound": ("ldlq: sign of the feedback", "grid: truncates"),
        "test_some_layers_lose_as_much_as_the_bound": (
            "bounds: m/3 in the worst case",
            "bounds: m/5 in the worst case",
            "ldlq: sign of the feedback",
            "ldlq: U of the reversed H",
        ),
        "test_under_another_feedback_some_layer_loses_more": (
            "bounds: m/3 in the worst case",
            "linear_feedback: none",
        ),
        "test_false_that_ldlq_beats_nearest_on_every_layer": (
            "ldlq: sign of the feedback",
            "proxy: diagonal of H alone",
        ),
    },
    "TestQ2bWorstCaseStochastic": {
        "test_the_mean_loss_never_exceeds_the_bound": (
            "bounds: m/5 in the worst case",
            "ldl: columns in the other order",
        ),
        "test_ldlq_has_the_mean_loss_of_the_enumeration": ("grid: u on [-1/4, 3/4)", "ldlq: sign of the feedback"),
        "test_equality_holds_where_u_is_integer": ("bounds: m/3 in the worst case", "ldlq: U of the reversed H"),
        "test_false_that_the_worst_mean_loss_equals_the_bound": (
            "bounds: m/5 in the worst case",
            "ldl: the diagonal of H for pivots",
        ),
        "test_false_that_ldlq_is_optimal": ("linear_feedback: none", "grid: u on [-1/4, 3/4)"),
    },
    "TestQ2cAverageCase": {
        "test_the_mean_loss_over_uniform_layers": ("bounds: the mean without its rounding", "grid: rounds from 0.6 up"),
        "test_ldlq_has_the_least_mean_loss_of_the_class": ("ldlq: sign of the feedback",),
        "test_false_that_any_interval_of_uniform_weights_will_do": ("bounds: the mean without its rounding",),
    },
    "TestQ3IncoherentTrace": {
        "test_both_inequalities_in_both_orders": (
            "ldl: the diagonal of H for pivots",
            "bounds: mu, not its square",
            "bounds: half of tr H^1/2 max",
        ),
        "test_a_multiple_of_the_identity_reaches_both": (
            "bounds: half of tr H^1/2 max",
            "bounds: tr H^1/2 not squared",
        ),
        "test_false_that_an_eigensolver_shows_the_incoherence": ("bounds: mu, not its square",),
    },
    "TestQ4PlainRounding": {
        "test_nearest_never_loses_more_than_the_worst_signs": ("grid: truncates", "bounds: lambda_max without n"),
        "test_nearest_reaches_the_worst_signs": ("grid: rounds from 0.6 up", "bounds: m/5 in the worst case"),
        "test_false_that_nearest_loses_at_most_a_quarter_of_the_trace": (
            "proxy: diagonal of H alone",
            "bounds: lambda_max without n",
        ),
        "test_stochastic_rounding_loses_a_quarter_of_the_trace_in_the_mean_at_worst": (
            "grid: u on [-1/4, 3/4)",
            "bounds: m/5 tr H",
        ),
        "test_the_mean_loss_over_uniform_layers": ("bounds: the mean without its rounding", "grid: u on [-1/4, 3/4)"),
    },
    "TestQ5LowRank": {
        "test_the_ratio_of_the_traces": ("bounds: rank ratio without mu", "ldl: the diagonal of H for pivots"),
        "test_one_hadamard_vector_reaches_the_ratio": ("bounds: twice the rank ratio",),
    },
    "TestQ6NoIncoherenceNoGain": {
        "test_the_trace_of_d_lies_between_determinant_and_trace": ("ldl: square roots of the pivots",),
        "test_a_diagonal_h_has_no_feedback_and_no_gain": ("ldl: columns in the other order",),
        "test_equal_pivots_reach_the_determinant": (
            "bounds: half the determinant",
            "bounds: det H without its root",
            "ldl: the diagonal of H for pivots",
        ),
    },
    "TestQ8OptqIsLdlq": {
        "test_optq_and_ldlq_round_alike": (
            "optq: C transposed",
            "ldlq: sign of the feedback",
            "ldlq: order ignored",
        ),
        "test_the_pivots_are_those_of_the_inverse": ("optq: C transposed", "ldl: columns in the other order"),
        "test_the_squared_errors_add_up_to_the_loss": (
            "optq: factor of H, not of its inverse",
            "proxy: diagonal of H alone",
        ),
    },
    "TestQ9ClampedCounterexample": {
        "test_left_to_right_loses_about_n_times_as_much": ("grid: no clamp", "ldlq: U of the reversed H"),
        "test_right_to_left_loses_no_more_than_nearest": ("ldlq: order ignored",),
        "test_on_all_integers_the_bound_holds_and_the_last_column_goes_far": (
            "bounds: m/5 in the worst case",
            "grid: rounds from 0.6 up",
        ),
    },
    "TestQ12Invariance": {
        "test_rotations_leave_the_loss_alone": ("proxy: diagonal of H alone",),
        "test_false_that_the_inputs_may_be_rotated_without_h": ("proxy: H forgotten",),
    },
    "TestQ13GreedyDescent": {
        "test_no_pass_raises_the_loss": ("greedy: clamp after the pass",),
        "test_where_it_stops_no_single_entry_can_be_improved": (
            "greedy: last column left out",
            "greedy: clamp after the pass",
        ),
        "test_it_repairs_the_clamped_counterexample_in_one_pass": ("grid: no clamp",),
        "test_false_that_the_clamp_may_wait_for_the_end_of_the_pass": ("greedy: clamp after the pass",),
    },
    "TestB1BabaiNearestPlane": {
        "test_babai_is_the_nearest_plane": ("babai: front to back", "ldlq: sign of the feedback"),
        "test_the_bound_is_a_quarter_of_the_squared_diagonal_of_r": (
            "bounds: m/3 in the worst case",
            "bounds: m/5 in the worst case",
            "ldlq: sign of the feedback",
        ),
        "test_the_mean_is_a_twelfth_of_the_squared_diagonal_of_r": (
            "babai: front to back",
            "bounds: the mean without its rounding",
        ),
        "test_it_is_within_a_ratio_of_the_closest_point": ("ldlq: sign of the feedback",),
        "test_false_that_the_nearest_plane_is_the_closest_point": ("babai: front to back",),
    },
}
