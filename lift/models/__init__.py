"""Interpolation models behind one interface, a folder for each family.

`lift.models.registry.build` makes the one that a configuration names. The files beside the folders are what
families share. Nothing is imported here: lift/config reads each family's options without PyTorch.
"""
