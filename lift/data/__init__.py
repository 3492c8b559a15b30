"""Archives of clips -> tensors: what trainings and evaluations read (`lift/clips` writes them).

Only `dataset` and `resident` import torch.
"""
