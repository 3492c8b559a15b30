import torch

from lift.ops.references import reference_offsets


def test_the_neighbours_of_a_gap_and_the_last_two_frames_before_an_end():
    offsets = torch.tensor([[-3.0, -2.0, -1.0, 1.0], [-4.0, -3.0, -2.0, -1.0], [-8.0, -7.0, -6.0, -5.0]])
    assert reference_offsets(offsets).T.tolist() == [[-1, 1], [-2, -1], [-6, -5]]
    assert reference_offsets(offsets[1]).tolist() == [-2, -1]
