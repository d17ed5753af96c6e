"""Replicas as one network with a replica axis: fewer, larger kernels, on a GPU and on a CPU."""
