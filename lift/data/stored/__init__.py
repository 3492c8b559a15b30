"""Clip archives on disk: frames, runs of MPEG-4, truth, and the manifest; written by `lift/clips`."""
