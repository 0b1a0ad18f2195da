"""Gathering, examining and damping a Hessian. (Its file: test_hessian_file.py.)"""

import dataclasses
import json

import numpy as np
import pytest
from voice import says

from quipref import (
    HessianAccumulator,
    HessianReport,
    damp,
    hessian_report,
    ldl,
    optq,
    random_layer,
)

TRACE_SHARE = 1e-12  # of tr H: what counts as zero


class TestAccumulator:
    def test_by_hand(self):
        gathered = HessianAccumulator(2)
        gathered.update(np.array([[1.0, 2.0]]))
        gathered.update(np.array([[3.0, 0.0], [0.0, -1.0]]))
        assert gathered.tokens == 3
        assert (gathered.hessian() == np.array([[10.0, 2.0], [2.0, 5.0]]) / 3).all()

    def test_order_and_cuts_matter_only_up_to_rounding(self):
        X = np.random.default_rng(0).standard_normal((500, 20)) * np.logspace(0, 3, 20)
        whole = HessianAccumulator(20)
        whole.update(X)
        pieces, reversed_pieces = HessianAccumulator(20), HessianAccumulator(20)
        for piece in np.array_split(X, 7):
            pieces.update(piece)
        for piece in np.array_split(X, 11)[::-1]:
            reversed_pieces.update(piece)
        # each entry is a sum of 500 products: at most 500 roundings of the sum of their sizes
        allowed = 2 * 500 * np.finfo(float).eps * (np.abs(X).T @ np.abs(X)) / 500
        for other in (pieces, reversed_pieces):
            assert (np.abs(other.hessian() - whole.hessian()) <= allowed).all()
        assert (np.abs(whole.hessian() - X.T @ X / 500) <= allowed).all()

    def test_merging_is_seeing_both_texts(self):
        X = np.random.default_rng(1).integers(-8, 9, (30, 6)).astype(np.float64)  # sums of integers are exact
        left, right, both = HessianAccumulator(6), HessianAccumulator(6), HessianAccumulator(6)
        left.update(X[:11])
        right.update(X[11:])
        both.update(X)
        right_before = right.hessian()
        left.merge(right)
        assert left.tokens == 30
        assert (left.hessian() == both.hessian()).all()
        assert right.tokens == 19
        assert (right.hessian() == right_before).all()

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_narrow_inputs_are_summed_in_float64(self, dtype):
        X = np.full((3000, 1), 300, dtype)  # 3000 * 300^2 overflows float16; 9e4 + 2^-k is lost in float32
        X[0] = 2.0**-10
        gathered = HessianAccumulator(1)
        gathered.update(X)
        assert gathered.hessian() == (2999 * 300.0**2 + 2.0**-20) / 3000

    def test_the_result_is_exactly_symmetric_new_and_float64(self):
        gathered = HessianAccumulator(33)
        gathered.update(np.random.default_rng(2).standard_normal((100, 33)).astype(np.float32))
        H = gathered.hessian()
        assert H.dtype == np.float64
        assert (H == H.T).all()
        H[:] = 0
        assert gathered.hessian().any()

    def test_strided_read_only_and_empty_inputs(self):
        X = np.random.default_rng(3).integers(0, 5, (20, 8)).astype(np.float64)[::2, ::-1]
        X.flags.writeable = False
        gathered = HessianAccumulator(8)
        gathered.update(X)
        gathered.update(np.zeros((0, 8)))
        assert gathered.tokens == 10
        assert (gathered.hessian() == X.T @ X / 10).all()

    def test_refusals(self):
        gathered = HessianAccumulator(3)
        with says(ValueError, "hessian() needs at least one token, but none was added. Call update(X) first."):
            gathered.hessian()
        with says(ValueError, "X must have shape (tokens, 3), but its shape is (5, 4). Flatten the batch axes."):
            gathered.update(np.ones((5, 4)))
        with says(ValueError, "X must have 2 axes"):
            gathered.update(np.ones((2, 5, 3)))
        with says(ValueError, "X must be finite"):
            gathered.update(np.full((1, 3), np.nan))
        with says(TypeError, "X must hold real floating-point numbers"):
            gathered.update(np.ones((1, 3), int))
        assert gathered.tokens == 0
        assert not gathered._sum.any()
        with says(TypeError, "other must be a HessianAccumulator, but ndarray came."):
            gathered.merge(np.eye(3))
        with says(ValueError, "other must gather 3 inputs, but it gathers 4."):
            gathered.merge(HessianAccumulator(4))
        with says(ValueError, "n must be at least 1, but 0 came."):
            HessianAccumulator(0)


def example(kind):
    """A matrix of that kind, which is of no graver kind."""
    H = random_layer(1, 32, seed=0).H.copy()
    if kind == "non-finite":
        H[3, 4] = H[0, 1] = np.inf
        H[2, 2] = np.nan
    elif kind == "asymmetric":
        H[3, 4] += 1e-3
    elif kind == "indefinite":
        H -= 2 * np.linalg.eigvalsh(H)[0] * np.eye(32)
    elif kind == "dead channels":
        H[[5, 7]], H[:, [5, 7]] = 0, 0
    elif kind == "rank-deficient":
        H = random_layer(1, 32, spectrum="low_rank", seed=0).H
    return H


KINDS = ["non-finite", "asymmetric", "indefinite", "dead channels", "rank-deficient", "positive definite"]


class TestReport:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind_is_told_apart(self, kind):
        report = hessian_report(example(kind))
        assert isinstance(report, HessianReport)
        assert report.kind == kind
        assert report.n == 32
        assert report.n_bad == (3 if kind == "non-finite" else 0)
        assert report.dead == ((5, 7) if kind == "dead channels" else ())
        assert (report.asymmetry > 1e-6) == (kind == "asymmetric")

    def test_the_gravest_kind_is_named(self):
        H = example("dead channels")
        H -= np.diag(np.where(np.arange(32) == 3, 5.0, 0.0))
        assert hessian_report(H).kind == "indefinite"
        H[8, 9] += 1
        assert hessian_report(H).kind == "asymmetric"
        H[8, 9] = np.nan
        assert hessian_report(H).kind == "non-finite"

    def test_its_numbers_by_hand(self):
        report = hessian_report(np.diag([4.0, 0.0, 2.0, 1e-13]))
        assert report.rank == 2
        assert report.dead == (1,)
        assert (report.smallest_eigenvalue, report.largest_eigenvalue) == (0.0, 4.0)
        assert report.mean_diagonal == pytest.approx(1.5, rel=1e-12)
        assert 8e-12 <= report.smallest_damping <= 8.1e-12  # 2e-12 * 6 / 1.5, rounded up to two digits

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_asymmetric_is_what_the_checks_refuse(self, dtype):
        H = np.eye(2, dtype=dtype)
        limit = 1e-6 if dtype == np.float64 else 1e-4
        for gap, kind in [(limit * 0.9, "positive definite"), (limit * 1.1, "asymmetric")]:
            H[0, 1] = gap
            assert hessian_report(H).kind == kind
            if kind == "asymmetric":
                with says(ValueError, "H must be symmetric"):
                    ldl(H)
            else:
                ldl(H)

    @pytest.mark.parametrize("kind", KINDS[2:])
    def test_the_smallest_damping_is_enough_and_hardly_more(self, kind):
        H = example(kind)
        f = hessian_report(H).smallest_damping
        damped = damp(H, f)
        assert (ldl(damped)[1] > 0).all()
        optq(np.ones((1, 32)), damped)
        assert float(f"{f:.1e}") == f
        assert hessian_report(damped).smallest_eigenvalue >= 1.9 * TRACE_SHARE * np.trace(H)
        if f:
            less = np.linalg.eigvalsh(damp(H, 0.89 * f))[0]
            assert less < 2 * TRACE_SHARE * np.trace(H)

    def test_a_definite_matrix_needs_no_damping(self):
        assert hessian_report(example("positive definite")).smallest_damping == 0.0

    @pytest.mark.parametrize("H", [np.zeros((3, 3)), -np.eye(3), np.diag([1.0, -1.0]), example("non-finite")])
    def test_none_where_no_damping_can_help(self, H):
        assert hessian_report(H).smallest_damping is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_as_json_and_as_text(self, kind):
        report = hessian_report(example(kind))
        plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert plain["kind"] == kind
        assert plain["dead"] == list(report.dead)
        assert set(plain) == {field.name for field in dataclasses.fields(HessianReport)}
        assert (plain["largest_eigenvalue"] is None) == (kind == "non-finite")
        lines = str(report).splitlines()
        assert lines[0] == f"kind                 {kind}"
        assert "size                 32 x 32, rank" in lines[1]
        assert lines[-1].endswith(report.advice)
        assert ("none helps" in lines[-2]) == (kind == "non-finite")
        assert ("2 (first: 5, 7)" in lines[4]) == (kind == "dead channels")

    def test_it_is_frozen(self):
        report = hessian_report(np.eye(2))
        with pytest.raises(dataclasses.FrozenInstanceError):
            report.kind = "fine"

    def test_inputs_are_not_written_to(self):
        H = example("asymmetric")
        before = H.copy()
        H.flags.writeable = False
        hessian_report(H)
        assert np.array_equal(H, before)

    def test_refusals(self):
        with says(TypeError, "H must hold real floating-point numbers, but its dtype is complex128."):
            hessian_report(np.eye(2, dtype=complex))
        for shape in [(2, 3), (4,), (0, 0)]:
            with says(ValueError, f"H must be square and not empty, but its shape is {shape}."):
                hessian_report(np.ones(shape))


class TestDamp:
    def test_by_hand(self):
        H = np.array([[3.0, 1.0], [1.0, 5.0]])
        H.flags.writeable = False
        assert damp(H, 0.25).tolist() == [[4.0, 1.0], [1.0, 6.0]]
        assert H.tolist() == [[3.0, 1.0], [1.0, 5.0]]
        assert (damp(H, 0) == H).all()
        assert damp(H, 0) is not H

    def test_dtype_and_nothing(self):
        assert damp(np.eye(2, dtype=np.float32), 0.5).dtype == np.float32
        assert damp(np.zeros((0, 0)), 0.5).shape == (0, 0)

    def test_refusals(self):
        with says(ValueError, "fraction must be finite and not negative, but -0.01 came."):
            damp(np.eye(2), -0.01)
        with says(TypeError, "fraction must be a real number, but '1%' (str) came."):
            damp(np.eye(2), "1%")
        with says(ValueError, "H must be symmetric"):
            damp(np.triu(np.ones((2, 2))), 0.01)


@pytest.mark.parametrize("share", [-1e-12, -5e-11, -2e-10, -1e-6])
def test_the_report_and_the_factorisation_agree_on_what_is_indefinite(share):
    """In a random basis the last pivot lies further below zero than the eigenvalue: the pivot decides."""
    Q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))
    H = (Q * [3.0, 2.0, 1.0, 1.0, 1.0, 8.0 * share]) @ Q.T
    H = (H + H.T) / 2
    if hessian_report(H).kind == "indefinite":
        with says(np.linalg.LinAlgError, "its smallest eigenvalue is"):
            ldl(H)
    else:
        assert hessian_report(H).kind == "rank-deficient"
        ldl(H)


def test_both_sides_of_that_limit_are_reached():
    assert [hessian_report(np.diag([1.0, x])).kind for x in (-5e-11, -2e-10)] == ["rank-deficient", "indefinite"]
