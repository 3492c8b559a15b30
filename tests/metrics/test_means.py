import pytest

from lift.metrics import Means


def test_clips_without_a_value_do_not_count():
    means = Means()
    means.update({"psnr": 30.0, "epe": None})
    means.update({"psnr": 33.0, "epe": 2.0})
    assert means.compute() == {"psnr": pytest.approx(31.5), "epe": 2.0}


def test_a_name_that_never_had_a_value_has_no_mean():
    means = Means()
    means.update({"epe": None})
    assert means.compute() == {}


def test_the_order_of_clips_makes_no_difference():
    values = [0.1 * i**3 for i in range(50)]
    results = set()
    for order in (values, values[::-1], sorted(values, key=lambda v: -v % 7)):
        means = Means()
        for value in order:
            means.update({"x": value})
        results.add(means.compute()["x"])
    assert len(results) == 1
