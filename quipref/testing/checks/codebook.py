"""Block quantizers: what `quantize` and `decode` owe each other, to their codebook, and to the theory of rate.

The protocol is `quipref.rounding.quantizer.Quantizer`: one block of `block` weights a row, or tiles of rows.
"""

import numpy as np
from hypothesis import strategies as st

from quipref.gaussian import distortion_rate, of_sequences, rate_needed
from quipref.testing.checks.conditions import finds_nearest, rows_apart
from quipref.testing.checks.registry import CheckFailed, Finding, check
from quipref.testing.drawing import GENERIC, vectors

SCALES = (0.25, 0.5, 1.0, 2.0)  # of the Gaussian source: at any of them no code beats D(R)
SAMPLE = 16384  # weights at each
SHOWN = 64  # weights of a sample that is shown as it is
OCTAVES, EACH = range(-10, 21), 1024  # scales from far below to far above any step, and weights at each
OFTEN = 5  # times: where every code that occurs does so as often, hardly any others exist
SINGLE = float(np.finfo(np.float32).eps)
WIDE = 5  # standard errors


def tile_rows(quantizer):
    """Rows that are rounded together: 1, unless a code spans rows."""
    return getattr(quantizer.quantizer, "tile", (1, 0))[0]


def targets(quantizer):
    """Targets (rows, block): halves and other numbers of moderate size, or standard normal by seed."""
    rows, block = tile_rows(quantizer), quantizer.block
    entries = st.floats(-4, 4, width=32) | st.integers(-8, 8).map(lambda k: k / 2)

    @st.composite
    def draw_targets(draw):
        m = rows * draw(st.integers(1, 3))
        # a tile has too many entries to draw each, so its rows are multiples of one
        factors = draw(vectors(st.sampled_from([1.0, -1.0, 0.5]), m))
        T = np.outer(factors, draw(vectors(entries, block)))
        seed = draw(GENERIC)
        return T if seed is None else np.random.default_rng(seed).standard_normal((m, block))

    return draw_targets()


def sample(quantizer, seed, scale=1.0, weights=2048):
    """Gaussian targets (rows, block), about so many weights and two tiles at least."""
    rows, block = tile_rows(quantizer), quantizer.block
    m = rows * max(2, -(-weights // (rows * block)))
    return scale * np.random.default_rng(seed).standard_normal((m, block))


def first_difference(A, B):
    """The first place where two arrays differ, and what stands there."""
    row, column = (int(i) for i in np.argwhere(A != B)[0])
    return f"({row}, {column}) is {A[row, column]:g} and {B[row, column]:g}"


def counted(bits):
    """ "1 bit", "2 bits"."""
    return f"{bits:g} bit{'' if bits == 1 else 's'}"


@check("codebook")
def check_decode_after_encode(quantizer, tags, budget):
    """decode(codes) is T_hat, to the bit of T's dtype: what is stored is what was measured."""

    def holds(T):
        codes, T_hat = quantizer.quantize(T)
        values = quantizer.decode(codes)
        if values.shape != T_hat.shape:
            raise CheckFailed(f"decode(codes) must have T_hat's shape {T_hat.shape}, but it is {values.shape}", T)
        if not np.array_equal(values.astype(T_hat.dtype), T_hat):
            where = first_difference(values.astype(T_hat.dtype), T_hat)
            raise CheckFailed(f"decode(codes) must be T_hat, but entry {where}", T)

    if tags.random and not decodes_alone(quantizer):
        return Finding(verdict="not_told_apart", message="its decoder needs the random numbers of its encoder")
    return Finding({"targets": budget.for_all(targets(quantizer), holds)})


def decodes_alone(quantizer):
    """False for a dither, which the decoder has to draw again."""
    codes, _ = quantizer.quantize(sample(quantizer, 0))
    try:
        quantizer.decode(codes)
    except CheckFailed:
        return False
    return True


@check("codebook")
def check_same_again(quantizer, tags, budget):
    """The same targets (and the same rng) give the same codes and values, also after other targets."""
    T = sample(quantizer, budget.seed, weights=SHOWN)
    codes, T_hat = quantizer.quantize(T)
    quantizer.quantize(sample(quantizer, budget.seed + 1))
    for _ in range(2):
        again, T_again = quantizer.quantize(T)
        if not (np.array_equal(codes, again) and np.array_equal(T_hat, T_again)):
            raise CheckFailed("codes or T_hat differ between two calls with the same targets; keep no state", T)


@check("codebook")
def check_targets_unchanged(quantizer, tags, budget):
    """T may be read-only, strided or in columns: it is never written to, and its layout changes nothing."""
    T = sample(quantizer, budget.seed, weights=SHOWN)
    _, expected = quantizer.quantize(T)
    wide = np.zeros((len(T), 2 * T.shape[1]))
    wide[:, ::2] = T
    read_only = T.copy()
    read_only.flags.writeable = False
    rng = (quantizer.seed,) if tags.random else ()
    for name, given in (("read-only", read_only), ("strided", wide[:, ::2]), ("column-major", np.asfortranarray(T))):
        try:
            _, T_hat = quantizer.quantizer.quantize(given, *rng)
        except Exception as error:
            raise CheckFailed(f"{name} targets raise {type(error).__name__}: {error}", T) from error
        if not np.array_equal(given, T):
            raise CheckFailed(f"it writes to its targets ({name}); copy them first", T)
        if not np.array_equal(T_hat, expected):
            raise CheckFailed(f"T_hat differs for {name} targets; entry {first_difference(T_hat, expected)}", T)


@check("codebook")
def check_single_precision(quantizer, tags, budget):
    """Float32 targets are rounded to the same codebook: T_hat is decode(codes) in its dtype."""

    def holds(T):
        T = T.astype(np.float32)
        codes, T_hat = quantizer.quantize(T)
        values = quantizer.decode(codes).astype(T_hat.dtype)
        if not np.array_equal(values, T_hat):
            raise CheckFailed(f"decode(codes) must be T_hat, but entry {first_difference(values, T_hat)}", T)

    if tags.random and not decodes_alone(quantizer):
        quantizer.quantize(sample(quantizer, budget.seed).astype(np.float32))
        return None
    return Finding({"targets": budget.for_all(targets(quantizer), holds)})


@check("codebook", when=rows_apart)
def check_rows_apart(quantizer, tags, budget):
    """Each row, or each tile of rows, is rounded as if it were alone."""
    T, rows = sample(quantizer, budget.seed), tile_rows(quantizer)
    _, T_hat = quantizer.quantize(T)
    for start in range(0, min(len(T), 8 * rows), rows):
        here = slice(start, start + rows)
        _, alone = quantizer.quantize(T[here])
        if not np.array_equal(alone, T_hat[here]):
            raise CheckFailed(f"row {start} differs alone and among others: {first_difference(alone, T_hat[here])}", T)


@check("codebook", when=finds_nearest)
def check_points_are_fixed(quantizer, tags, budget):
    """A point of the codebook is its own nearest: T_hat as a target comes back as it is."""

    def holds(T):
        _, T_hat = quantizer.quantize(T)
        T_hat = T_hat.astype(np.float64)
        _, again = quantizer.quantize(T_hat)
        if (np.abs(again - T_hat) > 8 * SINGLE * np.abs(T_hat).max()).any():
            raise CheckFailed(f"a point of the codebook moved; entry {first_difference(again, T_hat)}", T_hat)

    return Finding({"targets": budget.for_all(targets(quantizer), holds)})


@check("codebook", when=finds_nearest)
def check_nearest_point(quantizer, tags, budget):
    """No point that any target was rounded to is nearer to a target than its own.

    Up to the rounding errors of single precision in x.q - |q|^2/2, which a search may compare instead of distances.
    """
    T = np.concatenate([sample(quantizer, budget.seed + i, scale, 1024) for i, scale in enumerate(SCALES)])
    _, T_hat = quantizer.quantize(T)
    rows = tile_rows(quantizer)
    X, X_hat = (A.reshape(len(T) // rows, -1).astype(np.float64) for A in (T, T_hat))
    # halfway between a target and the next one's point: close to where two cells meet
    between = (X + np.roll(X_hat, 1, axis=0)) / 2
    _, there = quantizer.quantize(between.reshape(T.shape))
    X, X_hat = np.concatenate([X, between]), np.concatenate([X_hat, there.reshape(X.shape)])
    points = np.unique(X_hat, axis=0)
    own = np.square(X - X_hat).sum(axis=1)
    others = np.array([np.square(points - x).sum(axis=1).min() for x in X])
    noise = 8 * X.shape[1] * SINGLE * (np.abs(X).max(axis=1) ** 2 + np.abs(points).max() ** 2)
    worst = int((own - others - noise).argmax())
    if own[worst] > others[worst] + noise[worst]:
        message = f"|t - T_hat|^2 is {own[worst]:.6g}, but another point of the codebook has {others[worst]:.6g}"
        raise CheckFailed(message, X[worst].reshape(rows, -1))
    return Finding({"targets": len(X), "points": len(points)})


@check("codebook")
def check_codes_fit_their_bits(quantizer, tags, budget):
    """No more codes occur than `bits` has room for, 2^(bits block), nor do more bits change than `code_bits` stores."""
    if quantizer.bits is None:
        return Finding(message="it has no end, so its codes have no fixed width")
    T = np.concatenate([sample(quantizer, budget.seed + i, scale, SAMPLE // 4) for i, scale in enumerate(SCALES)])
    codes, _ = quantizer.quantize(T)
    room = 2.0 ** (quantizer.bits * T.size / len(T))
    distinct = len(np.unique(rows_of(codes, T), axis=0))
    if distinct > room * (1 + 1e-9):
        raise CheckFailed(f"{distinct} codes occurred, but {counted(quantizer.bits)} a weight name {room:.4g}", T[:4])
    width = getattr(quantizer.quantizer, "code_bits", None)
    changing = int(np.bitwise_or.reduce((codes ^ codes.flat[0]).ravel())).bit_count()
    if width is not None and changing > width:
        raise CheckFailed(f"{changing} bits of the codes change, but code_bits is {width}", T[:4])
    return Finding({"codes": distinct})


@check("codebook")
def check_bits_are_per_weight(quantizer, tags, budget):
    """`bits` is counted a weight, not a block: K codes of a block of g weights take log2 K / g bits, not log2 K.

    It counts codes among targets from very small to very large, and says nothing unless each occurs often. Fewer codes
    than `bits` has room for are wasteful, which is said, and no failure.
    """
    few = sample(quantizer, budget.seed)
    if quantizer.bits is None or len(np.unique(rows_of(quantizer.quantize(few)[0], few), axis=0)) > len(few) / 2:
        return Finding(message="it has more codes than can be counted")
    scaled = [sample(quantizer, budget.seed + i, 2.0**octave, EACH) for i, octave in enumerate(OCTAVES)]
    T = np.concatenate(scaled)
    found, times = np.unique(rows_of(quantizer.quantize(T)[0], T), axis=0, return_counts=True)
    if times.min() < OFTEN:
        return Finding(message="it has more codes than can be counted")
    block, named = T.shape[1], (len(found) - 1).bit_length()
    came = f"{len(found)} codes occur, however wide the targets, which {counted(named / block)} a weight would name"
    if block > 1 and quantizer.bits >= max(named, 1):
        raise CheckFailed(f"{came}, but bits is {quantizer.bits:g}; count bits a weight, not a block", T[:1])
    return Finding({"codes": len(found)}, message=came if block * quantizer.bits >= named + 1 else "")


def rows_of(codes, T):
    """The codes of each row of T side by side."""
    return codes.reshape(len(T), -1)


@check("codebook")
def check_rate_and_distortion(quantizer, tags, budget):
    """No code of R bits a weight rounds N(0, s^2) with a mean squared error below s^2 4^-R (Shannon 1959).

    By five standard errors, at four s. An error below means that not all bits are counted.
    """
    if quantizer.bits is None:
        return Finding(message="it has no end, so its rate depends on the source")
    rows, best = tile_rows(quantizer), None
    floor = distortion_rate(quantizer.bits)
    for i, scale in enumerate(SCALES):
        T = sample(quantizer, budget.seed + i, scale, SAMPLE)
        errors = np.square(T - quantizer.quantize(T)[1].astype(np.float64)) / scale**2
        mean, error = of_sequences(errors.reshape(len(T) // rows, -1).mean(axis=1))
        if mean + WIDE * error < floor:
            came = f"{mean:.5f} +- {WIDE * error:.5f}"
            message = f"the error on N(0, {scale:g}^2) is {came}, below 4^-{quantizer.bits:g} = {floor:.5f}"
            raise CheckFailed(f"{message}; are all bits counted?", T[:4])
        best = min(best or (mean, error), (mean, error))
    gap = float(quantizer.bits - rate_needed(best[0]))
    figures = {"bits": float(quantizer.bits), "mse": best[0], "standard_error": best[1], "bits_above_the_limit": gap}
    message = f"mean squared error {best[0]:.4f} at {counted(quantizer.bits)}, D(R) is {floor:.4f}"
    return Finding(figures, message=message)
