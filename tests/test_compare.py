"""Comparing rebuilt results with committed ones."""

from lift.compare import compare


def test_equal_bytes_are_no_difference():
    assert compare("a", b"x,1\n", b"x,1\n", 0, 0) is None


def test_numbers_are_compared_within_the_tolerance():
    near = compare("a", b"psnr,30.00\nssim,-1e-3\n", b"psnr,30.01\nssim,-1e-3\n", 0.02, 0)
    assert near is not None
    assert near.within
    assert abs(near.largest - 0.01) < 1e-9
    far = compare("a", b"psnr,30.00\n", b"psnr,31.00\n", 0.02, 0.01)
    assert far is not None
    assert not far.within
    assert compare("a", b"n 100", b"n 101", 0, 0.02).within


def test_other_words_rows_and_missing_files_are_outside():
    assert not compare("a", b"x,1\n", b"y,1\n", 9, 9).within
    assert not compare("a", b"x,1\n", b"x,1\nx,1\n", 9, 9).within
    assert not compare("a", b"x", None, 9, 9).within
    assert not compare("a", b"\xff\x01", b"\xff\x02", 9, 9).within


def test_names_that_hold_digits_are_words():
    assert not compare("a", b"lift15,1\n", b"lift16,1\n", 9, 9).within
