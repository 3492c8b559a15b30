"""RIFE (Huang et al., ECCV 2022): intermediate flow with a privileged teacher; two frames."""
