"""The planted bugs that each test of one bit a weight and of residual codes must notice."""

TEETH = {
    "TestE6OneBitCodebook": {
        "test_it_is_all_that_is_short_but_one": (
            "one bit: -2 e_8 instead of 2 e_8",
            "one bit: a root twice",
            "one bit: the origin is a root",
        ),
        "test_the_nearest_of_all_is_found": (
            "one bit: halves with any signs",
            "one bit: -2 e_8 is found",
            "one bit: signs are lost",
            "one bit: coordinates the wrong way round",
            "one bit: twos are never the best",
            "one bit: pairs of another size",
        ),
        "test_every_point_is_its_own_nearest": (
            "one bit: -2 e_8 instead of 2 e_8",
            "one bit: signs are lost",
            "one bit: twos are never the best",
        ),
        "test_false_that_the_codebook_is_symmetric": (
            "one bit: -2 e_8 instead of 2 e_8",
            "one bit: -2 e_8 is found",
        ),
    },
    "TestE7ResidualCodes": {
        "test_the_second_point_is_nearest_to_the_remainder": (
            "residual: the second point is not divided",
            "residual: the second point is taken off",
            "residual: the second code comes first",
            "residual: nothing is lost",
            "residual: the remainder is not magnified",
        ),
        "test_three_bits_beat_the_best_scalar_quantizer": (
            "residual: the second point is forgotten",
            "residual: the remainder is not magnified",
            "residual: nothing is lost",
        ),
        "test_the_scales_for_three_bits_are_the_best_of_their_neighbourhood": (
            "residual: the scales of four bits for three",
        ),
        "test_false_that_the_scales_for_four_bits_are_the_best": ("residual: the best scales for the authors'",),
        "test_false_that_the_nearest_first_point_is_the_best": ("residual: nothing is lost",),
    },
}
