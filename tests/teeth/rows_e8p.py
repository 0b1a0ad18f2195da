"""The planted bugs that each test of E8P must notice."""

TEETH = {
    "TestE2Patterns": {
        "test_the_first_227_are_all_of_squared_norm_10": ("e8p: patterns in order of their norm",),
        "test_the_other_29_are_of_one_kind": ("e8p: a pad with a 5/2", "e8p: a pad twice", "e8p: a pad with 7/2"),
    },
    "TestE3Codebook": {
        "test_all_points_differ_and_lie_in_the_lattice": (
            "e8p: a pad twice",
            "e8p: only one shift",
            "e8p: no shift",
            "e8p: every sum counts as even",
        ),
        "test_they_are_the_patterns_with_their_signs_and_shifts": (
            "e8p: only one shift",
            "e8p: every sum counts as even",
        ),
        "test_the_moments": ("e8p: a pad with 7/2", "e8p: only one shift", "e8p: no shift"),
        "test_the_nearest_of_all_is_found": (
            "e8p: no sign is turned round",
            "e8p: the shift's share of the score is forgotten",
            "e8p: only 1/4 is tried",
            "e8p: patterns of another size",
            "e8p: signs are lost",
            "e8p: shifts exchanged",
        ),
        "test_among_equals_the_rule_decides": (
            "e8p: -1/4 wins among equals",
            "e8p: the first row wins, whatever its norm",
            "e8p: the last coordinate is turned round",
        ),
        "test_what_vanishes_beside_a_quarter_counts_as_zero": ("e8p: the shift's share of the score counts twice",),
        "test_every_point_is_its_own_nearest": (
            "e8p: only 1/4 is tried",
            "e8p: coordinates the wrong way round",
        ),
    },
    "TestE4PrintedExample": {
        "test_what_the_word_means": (
            "paper: the shift bit is 1 for -1/4",
            "paper: the first coordinate's sign comes last",
            "e8p: every sum counts as even",
        ),
        "test_false_that_the_printed_vector_is_a_point": ("e8p: the printed vector is a point",),
    },
    "TestE5Formats": {
        "test_codes_mean_what_the_program_makes_of_them": (
            "e8p: coordinates in the order of their bits",
            "e8p: the parity stays on its bit",
            "e8p: every sum counts as even",
            "e8p: shifts exchanged",
        ),
        "test_words_mean_what_the_paper_says": (
            "paper: the shift bit is 1 for -1/4",
            "paper: the first coordinate's sign comes last",
            "paper: words are the program's codes",
        ),
        "test_the_formats_name_the_same_points": (
            "paper: the shift bit is 1 for -1/4",
            "paper: told with the signs the wrong way round",
            "paper: told without the pattern",
        ),
        "test_a_code_is_told_in_the_words_of_the_paper": (
            "paper: codes are told as they are",
            "paper: told with the other shift",
            "paper: told with the signs the wrong way round",
        ),
        "test_false_that_the_formats_agree": ("paper: codes are told as they are", "paper: told without the pattern"),
    },
}
