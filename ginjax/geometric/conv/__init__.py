"""The equivariant convolution: geometry of axes, mixing plans, the ways to compute it."""
