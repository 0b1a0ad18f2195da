"""Where things lie for the fast kernel: the bytes of a lane, the rows of A, the columns of B, and the digits of X.

Nothing here needs a GPU or Numba: the kernel compiles these functions, and pictures and tests call them as they are.

A warp takes 64 columns of W_hat at a time, four tiles side by side, and 64 / k rows, 4 / k tiles one below the other.
These are 512 bytes for every k. A lane reads 16 of them, a *strip*: 8 / k rows of one tile. At k = 2 there are four
strips in a tile, and so lie the 32 lanes (at k = 1 there are two in each of four tiles, at k = 4 eight in one):

                   tile t = 0   tile t = 1   tile t = 2   tile t = 3
    rows 0 to 3      lane 0       lane 1       lane 2       lane 3      g = 0
    rows 4 to 7      lane 4       lane 5       lane 6       lane 7      g = 1
      ...                                                                ...
    rows 28 to 31    lane 28      lane 29      lane 30      lane 31     g = 7

So lane 4 g + t has strip g of the eight in a column of tiles, and tile t. Of the matrix A (16, 8) it must have rows g
and g + 8, columns t and t + 4 (see tensor.py). That is made to fit by saying which weights these are. A product takes
two neighbouring rows of every strip, 2 p and 2 p + 1, and two neighbouring registers of every tile, i and i + 1 (a
register is what A has of one state: the hash of one column, or the numbers of two columns):

    row of A                          column t: register i      column t + 4: register i + 1
    g        row 2 p     of strip g   a0 = A[g, t]              a2 = A[g, t + 4]
    g + 8    row 2 p + 1 of strip g   a1 = A[g + 8, t]          a3 = A[g + 8, t + 4]

Then every lane multiplies what it decoded itself, and no weight goes from one lane to another.

The columns of B are digits of X, four for each vector, the highest first, as numbers are written: column 4 v + j of the
first product is digit j of vector v, for v = 0 and 1; the next product has the vectors 2 and 3, and so on. Lane
4 g + t reads column g. A single vector has columns 0 to 3 only, which the lanes with g >= 4 read once more.

In shared memory four neighbouring registers of a tile, a *quad*, lie together, 16 bytes that a lane reads at once; then
come the other three tiles, then the other columns of B, then the next quad of all these, then the next four tiles.
"""

SIDE = 16  # of a tile
TILES = 4  # side by side
QUAD = 4  # registers
COLUMN = TILES * QUAD  # words from one column of B to the next
STRIPS = 2  # of a tile, for each bit of k


def strip_of_lane(lane, k):
    """(tile from top to bottom, tile from left to right, strip of that tile) which a lane of a warp reads."""
    g, t = lane // TILES, lane % TILES
    strips = STRIPS * k
    return g // strips, t, g % strips


def lane_below(lane, k):
    """The lane that reads the next 16 bytes of the tile's circle: after the last strip comes the first."""
    strips = STRIPS * k
    strip = lane // TILES % strips
    return lane + TILES * ((strip + 1) % strips - strip)


def strip_place(tile, strip, k):
    """The first of the four words of a strip; tiles are counted from left to right, then from top to bottom."""
    return (tile * STRIPS * k + strip) * 4


def digit_place(quad, column, tile, register, columns):
    """The word of shared memory for a register of a quad, in a column of B, of which there are so many.

    Quads are counted over the steps of a warp. The place is a sum of what each argument alone would give.
    """
    return ((quad * columns + column) * TILES + tile) * QUAD + register
