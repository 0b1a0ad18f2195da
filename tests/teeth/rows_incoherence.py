"""The planted bugs that each test of incoherence, of processing and of the transforms must notice."""

TEETH = {
    "TestQ3PrimeMuOfTheIdentity": {
        "test_distinct_eigenvalues_leave_no_choice": ("mu of H: largest entry alone",),
        "test_lemma_2_holds_with_what_any_basis_shows": ("mu of H: largest entry alone",),
        "test_a_multiple_of_the_identity_is_1_incoherent": (
            "mu of H: the basis ignored",
            "bounds: tr H^1/2 not squared",
        ),
        "test_false_that_a_solver_finds_the_best_basis": ("mu of H: one for the identity",),
    },
    "TestQ3DoublePrimeRange": {
        "test_mu_of_w_is_the_least_that_is_allowed": ("mu of W: not its root", "mu of W: with the scale of W"),
        "test_signs_and_a_spike_are_the_ends_for_w": ("mu of W: not its root", "bounds: half of the largest mu of W"),
        "test_a_hadamard_basis_is_the_low_end_for_h": ("mu of H: largest entry alone",),
        "test_the_axes_are_the_high_end_for_h": (
            "mu of H: largest entry alone",
            "bounds: half of the largest mu of H",
        ),
    },
    "TestQ11DiagonalRescaling": {
        "test_no_diagonal_has_a_smaller_product": (
            "bounds: 1 % below the rescaled product",
            "bounds: 1 % above the rescaled product",
        ),
        "test_processing_reaches_the_least_product": ("scales: square roots", "scales: inverted", "scales: none"),
        "test_dead_channels_keep_their_scale_and_leave_the_others_theirs": ("scales: dead channels too",),
        "test_a_common_factor_changes_nothing": ("scales: not normalised",),
    },
    "TestQ12InvarianceOfProcessing": {
        "test_processing_leaves_the_loss_alone": (
            "process: outputs not rotated",
            "process: inputs of W not rotated",
            "process: H not rotated",
            "process: undo forgets the scales",
        ),
        "test_damping_adds_its_share_of_the_squared_error": ("process: damping twice", "proxy: H forgotten"),
        "test_false_that_the_two_spaces_may_be_mixed": ("process: an array after all", "proxy: H forgotten"),
    },
    "TestS1SphereMoment": {
        "test_the_integral_lies_between_the_bound_and_its_first_terms": (
            "bounds: exponent 4n + 3",
            "bounds: exponent 4n + 1",
        ),
    },
    "TestS2BlockTail": {
        "test_signs_all_of_them": (
            "hadamard: no signs",
            "bounds: half of the block tail",
            "bounds: the block tail without |x|",
        ),
        "test_one_block_exactly": (
            "bounds: d a^2 in the tail of a sphere",
            "bounds: the block tail without |x|",
        ),
        "test_phases": ("fourier: no phases",),
        "test_haar_blocks": ("kronecker: B0 left out", "bounds: half of the block tail"),
    },
    "TestS3MuOfTheHessian": {
        "test_mu_of_every_rotated_basis": (
            "hadamard: no signs",
            "fourier: no phases",
            "bounds: half of mu of H",
            "bounds: mu of H not its root",
        ),
        "test_mu_of_a_processed_hessian": ("hadamard: no signs", "fourier: no phases", "process: H not rotated"),
    },
    "TestS4MuOfTheWeights": {
        "test_mu_of_spikes_and_of_what_looks_flat": (
            "hadamard: no signs",
            "fourier: no phases",
            "process: outputs not rotated",
            "process: inputs of W not rotated",
            "bounds: a root over mu of W",
            "bounds: mu of W squared",
        ),
        "test_false_that_one_square_root_covers_both_sides": (
            "process: outputs not rotated",
            "bounds: mu of W squared",
        ),
    },
    "TestQ7TwoStepTail": {
        "test_one_coordinate": (
            "kronecker: B0 left out",
            "kronecker: B1 left out",
            "bounds: a coordinate's log squared",
        ),
        "test_where_the_matrix_form_begins_to_say_something": ("bounds: half of Kronecker's mu of H",),
    },
}
