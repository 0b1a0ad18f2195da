"""The planted bugs that each test of the coordinate passes must notice."""

TEETH = {
    "TestS9BlockDescent": {
        "test_the_target_is_the_best_unrounded_block": (
            "descent: 1 / H_jj for the inverse of a block",
            "descent: twice the step",
            "descent: half the step",
            "descent: no pull from the others",
            "descent: the others push",
        ),
        "test_with_one_column_a_block_no_pass_raises_the_loss": (
            "descent: twice the step",
            "descent: the others push",
            "grid: truncates",
        ),
        "test_nor_with_blocks_that_h_weighs_alike": (
            "descent: twice the step",
            "descent: half the step",
            "descent: the others push",
            "grid: truncates",
        ),
        "test_each_row_keeps_the_best_it_visits": ("descent: the last iterate kept", "descent: the start kept"),
        "test_false_that_no_pass_raises_the_loss": ("descent: the last iterate kept",),
    },
}
