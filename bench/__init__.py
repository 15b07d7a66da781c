"""Benchmarks: every figure beside its limit or peer from the same run, since machines differ and are noisy."""
