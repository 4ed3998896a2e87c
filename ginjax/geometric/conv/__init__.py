"""The equivariant convolution: geometry, filters and weights, and the ways to compute it."""
