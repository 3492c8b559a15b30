"""LIFT: frame interpolation with a wide temporal context (specification section 3)."""
