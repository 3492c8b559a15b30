"""RIFE v4.25: the frame interpolation that people use today; two frames, any time between them.

Its weights are in the repository (weights/rife_v4.25.safetensors), so that it stands in tables as released.
"""
