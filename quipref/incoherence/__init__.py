"""Making W and H incoherent: measures, Hadamard matrices, rotations, and the processing of a layer."""
