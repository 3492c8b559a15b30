"""LIFT: Long-range Interpolation with Far Temporal context."""
