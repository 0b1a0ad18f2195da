"""The planted bugs that each test of E8 and of block LDLQ must notice."""

TEETH = {
    "TestE1Points": {
        "test_the_points_are_the_integer_combinations_of_a_basis": (
            "e8: sums of either parity",
            "e8: no halves inside",
            "e8: integers and halves mixed",
        ),
        "test_a_point_is_inside_and_what_is_beside_it_is_not": ("e8: sums of either parity", "e8: no halves inside"),
        "test_the_volume_is_one": ("e8: twice the volume",),
        "test_the_shells_are_as_large_as_the_theta_series_says": (
            "e8: shells without halves",
            "e8: squares of the divisors",
            "e8: no halves inside",
        ),
        "test_the_kissing_number_and_the_radius_of_the_packing": (
            "e8: shells without halves",
            "e8: a packing radius of 1/2",
        ),
    },
    "TestE1NearestPoint": {
        "test_no_other_point_is_nearer": (
            "e8: nearest in D8 alone",
            "e8: nearest in D8 + 1/2 alone",
            "e8: odd sums let pass",
            "e8: the first coordinate moves",
        ),
        "test_a_point_is_its_own_nearest": ("e8: nearest in D8 alone", "e8: nearest in D8 + 1/2 alone"),
        "test_nothing_is_farther_than_the_covering_radius": (
            "e8: nearest in D8 alone",
            "e8: the first coordinate moves",
        ),
        "test_the_deep_holes_are_halves_of_the_second_shell": ("e8: odd sums let pass",),
        "test_false_that_d8_covers_as_well": ("e8: nearest in D8 alone",),
    },
    "TestE1SecondMoment": {
        "test_of_uniform_targets": (
            "e8: nearest in D8 alone",
            "e8: the first coordinate moves",
            "e8: the second moment of D4",
            "e8: the second moment of the integers",
        ),
        "test_of_any_target_with_a_dither": (
            "dither: over the cube of side 1",
            "dither: none",
            "dither: left on",
            "e8: nearest in D8 alone",
        ),
        "test_false_that_a_single_target_without_a_dither_has_them": ("e8: odd sums let pass",),
        "test_the_gain_lies_between_the_integers_and_the_sphere": (
            "e8: the second moment of the integers",
            "e8: the second moment of D4",
            "e8: decibels of amplitudes",
        ),
    },
    "TestS5BlockTrace": {
        "test_both_inequalities_in_both_orders": (
            "block_ldl: blocks of H for D",
            "bounds: half of the blocks' norm",
            "bounds: columns counted for blocks",
            "bounds: mu, not its square",
        ),
        "test_a_constant_h_reaches_both": (
            "block_ldl: blocks of H for D",
            "bounds: half of the blocks' norm",
            "bounds: columns counted for blocks",
            "bounds: tr H^1/2 not squared",
        ),
        "test_false_that_the_last_term_needs_no_g": ("block_ldl: blocks of H for D", "bounds: tr H^1/2 not squared"),
    },
    "TestS6BlockLdlq": {
        "test_a_dithered_lattice_loses_the_second_moment_times_the_trace": (
            "dither: over the cube of side 1",
            "dither: none",
            "dither: left on",
            "e8: the second moment of D4",
            "ldlq: sign of the feedback",
            "block_ldl: triangles not divided out",
            "block_ldl: blocks of H for D",
            "bounds: sigma, not its square",
            "bounds: twice m sigma^2 tr D",
        ),
        "test_the_nearest_point_loses_at_most_the_trace": (
            "ldlq: sign of the feedback",
            "bounds: an eighth of m sigma^2 tr D",
            "bounds: columns counted for blocks",
        ),
        "test_the_nearest_point_can_lose_as_much": (
            "ldlq: sign of the feedback",
            "block_ldl: blocks of H for D",
            "bounds: twice m sigma^2 tr D",
        ),
        "test_false_that_a_codebook_obeys_it": ("e8p: all of the lattice",),
    },
    "TestS7WithoutFeedback": {
        "test_with_a_dither_the_mean_is_the_second_moment_times_tr_h": (
            "dither: over the cube of side 1",
            "dither: left on",
            "e8: the second moment of D4",
            "bounds: g also where blocks are independent",
        ),
        "test_nearest_points_lose_at_most_the_number_of_blocks_times_the_trace": ("bounds: half without feedback",),
        "test_false_that_g_times_the_trace_is_enough": (
            "bounds: g for the number of blocks",
            "bounds: g also where blocks are independent",
            "proxy: diagonal of H alone",
        ),
    },
    "TestS8BlockIdentity": {
        "test_for_every_quantizer_without_any_rounding_error": (
            "linear_feedback: sign",
            "linear_feedback: none",
            "proxy: diagonal of H alone",
        ),
        "test_for_the_factor_that_ldlq_takes": (
            "ldlq: sign of the feedback",
            "ldlq: U of the reversed H",
            "block_ldl: triangles not divided out",
            "block_ldl: blocks of H for D",
        ),
        "test_false_that_it_is_the_trace_of_eta_t_d_eta": ("proxy: H forgotten",),
    },
}
