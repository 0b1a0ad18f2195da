"""The planted bugs that each test of YAQA's rounding must notice."""

TEETH = {
    "TestY1TwoSided": {
        "test_one_pass_solves_the_implicit_equation": (
            "two_sided: sign of the feedback between rows",
            "two_sided: sign of the feedback between columns",
            "two_sided: the last row gets nothing",
            "two_sided: no cross term",
            "two_sided: factors of the reversed Hessians",
        ),
        "test_the_loss_is_that_of_the_errors_of_the_targets": (
            "proxy: H_out forgotten",
            "proxy: Hessians of the reversed rows and columns",
            "ldl: the diagonal of H for pivots",
        ),
        "test_no_layer_loses_more_than_the_bound": (
            "two_sided: rows feed nothing",
            "two_sided: sign of the feedback between rows",
            "grid: truncates",
        ),
        "test_some_layers_lose_as_much_as_the_bound": (
            "bounds: a third in the two-sided worst case",
            "bounds: a fifth in the two-sided worst case",
            "two_sided: rows feed nothing",
            "two_sided: no cross term",
        ),
        "test_incoherent_hessians_have_a_smaller_bound": (
            "bounds: two-sided, mu of the inputs alone",
            "bounds: half of the two-sided incoherent trace",
            "ldl: the diagonal of H for pivots",
        ),
        "test_multiples_of_the_identity_reach_it": (
            "bounds: half of the two-sided incoherent trace",
            "bounds: twice the two-sided incoherent trace",
        ),
        "test_where_rows_do_not_meet_it_is_ldlq_to_the_bit": (
            "two_sided: order ignored where rows do not meet",
            "two_sided: nearest where rows do not meet",
        ),
        "test_the_mean_loss_over_uniform_layers": (
            "bounds: the two-sided mean without its rounding",
            "two_sided: rows feed nothing",
            "two_sided: no cross term",
            "grid: rounds from 0.6 up",
        ),
        "test_false_that_feedback_on_one_side_is_as_good": (
            "ldlq: sign of the feedback",
            "bounds: the two-sided mean without its rounding",
            "ldl: the diagonal of H for pivots",
        ),
        "test_false_that_it_beats_ldlq_on_every_layer": (
            "two_sided: rows feed nothing",
            "two_sided: sign of the feedback between rows",
        ),
    },
}
