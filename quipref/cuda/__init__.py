"""The numba.cuda twins: kernels that run on a CUDA device, or slowly on numba's simulator of one."""
