"""LIFT: Long-range Interpolation with Far Temporal context, a research pipeline for video frame interpolation."""
