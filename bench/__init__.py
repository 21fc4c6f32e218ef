"""Benchmarks: what the runner costs, as ratios to the least that the same work can cost."""
