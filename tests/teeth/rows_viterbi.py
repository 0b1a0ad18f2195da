"""The planted bugs that each test of Viterbi's algorithm must notice."""

TEETH = {
    "TestT3Viterbi": {
        "test_no_walk_costs_less": (
            "viterbi: a greedy walk",
            "viterbi: the first value of a step alone",
            "viterbi: distances, not squares",
        ),
        "test_among_equals_the_smallest_predecessor_wins": (
            "viterbi: the last among equals",
            "viterbi: a greedy walk",
            "viterbi: distances, not squares",
        ),
        "test_a_prefix_of_the_best_walk_is_the_best_to_its_end": (
            "viterbi: a greedy walk",
            "viterbi: the first value of a step alone",
        ),
    },
    "TestT4TailBiting": {
        "test_free_then_best_then_algorithm_4": (
            "viterbi: circles left open",
            "viterbi: a start that is not tied",
            "viterbi: a greedy walk",
        ),
        "test_the_exhaustive_search_finds_the_best_circle": (
            "exhaustive: half of the overlaps",
            "exhaustive: one overlap",
            "viterbi: distances, not squares",
        ),
        "test_it_is_the_best_circle_of_its_overlap": (
            "viterbi: the last among equals",
            "viterbi: circles left open",
            "viterbi: the first value of a step alone",
        ),
        "test_on_long_sequences_little_is_lost": (
            "viterbi: the high bits taken for the low",
            "viterbi: the overlap of the wrong place",
            "exhaustive: one overlap",
        ),
        "test_false_that_it_is_always_the_best_circle": ("viterbi: circles left open",),
    },
}
