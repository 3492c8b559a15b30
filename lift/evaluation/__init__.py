"""Measuring methods on benchmarks: trained models and untrained baselines, run and judged in one way."""
