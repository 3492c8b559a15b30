import pytest

from lift.clips.sources.base import held_out

GROUPS = [f"A_g{i:02d}" for i in range(40)]


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.1, 4), (0.5, 20)])
def test_the_share_of_groups_is_held_out(share, count):
    assert len(held_out(GROUPS, share, 7, "ucf101")) == count


def test_the_choice_depends_on_seed_and_source_but_not_on_order_or_repeats():
    chosen = held_out(GROUPS, 0.25, 7, "ucf101")
    assert chosen == held_out([*reversed(GROUPS), *GROUPS], 0.25, 7, "ucf101")
    assert chosen != held_out(GROUPS, 0.25, 8, "ucf101")
    assert chosen != held_out(GROUPS, 0.25, 7, "vimeo90k")


def test_something_is_always_left_to_train_on():
    assert held_out(["a"], 0.5, 7, "x") == frozenset()
    assert len(held_out(["a", "b"], 0.5, 7, "x")) == 1
