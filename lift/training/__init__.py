"""Training: our own loop on Lightning Fabric, resumable at any step (specification section 5).

Order, augmentation, rates and freeze state are functions of (seed, step), so a checkpoint needs no generator
state.
"""
