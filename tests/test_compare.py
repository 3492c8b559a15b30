"""Comparing rebuilt results with committed ones."""

from lift.compare import EXACT, Tolerance, compare

WIDE = Tolerance(9, 9)
SCALED = Tolerance(0.02, 0.02, {"psnr": 0.2, "lpips": 0.001})


def test_equal_bytes_are_no_difference():
    assert compare("a", b"x,1\n", b"x,1\n", EXACT) is None
    assert not compare("a", b"x,1\n", b"x,1.0\n", Tolerance(9)).largest


def test_numbers_are_compared_within_the_tolerance():
    near = compare("a", b"psnr,30.00\nssim,-1e-3\n", b"psnr,30.01\nssim,-1e-3\n", Tolerance(0.02))
    assert near is not None
    assert near.within
    assert abs(near.largest - 0.01) < 1e-9
    far = compare("a", b"psnr,30.00\n", b"psnr,31.00\n", Tolerance(0.02, 0.01))
    assert far is not None
    assert not far.within
    assert compare("a", b"n 100", b"n 101", Tolerance(0, 0.02)).within


def test_each_metric_has_its_own_scale_in_a_table():
    old = b"clip,psnr,lpips,ie\na@1,30.0,0.010,5.0\n"
    assert compare("a.csv", old, b"clip,psnr,lpips,ie\na@1,30.1,0.0105,5.1\n", SCALED).within
    far = compare("a.csv", old, b"clip,psnr,lpips,ie\na@1,30.0,0.018,5.0\n", SCALED)
    assert not far.within
    assert "1 beyond the tolerance (first: lpips)" in far.what
    assert not compare("a.csv", old, b"clip,psnr,lpips,ie\na@1,30.4,0.010,5.0\n", SCALED).within
    assert not compare("a.csv", old, b"clip,psnr,lpips,ie\na@1,30.0,0.010,5.2\n", SCALED).within


def test_a_rows_metric_counts_where_the_column_names_none():
    old = b"metric,gain\nPSNR (dB),0.1\nLPIPS,0.001\n"
    assert compare("a.csv", old, b"metric,gain\nPSNR (dB),0.25\nLPIPS,0.0015\n", SCALED).within
    assert not compare("a.csv", old, b"metric,gain\nPSNR (dB),0.1\nLPIPS,0.003\n", SCALED).within


def test_keys_name_the_metric_in_json():
    old = b'{"davis": {"lpips": 0.0136, "psnr": 30.6}}'
    assert compare("a.json", old, b'{"davis": {"lpips": 0.0137, "psnr": 30.7}}', SCALED).within
    assert not compare("a.json", old, b'{"davis": {"lpips": 0.0236, "psnr": 30.6}}', SCALED).within
    assert not compare("a.json", old, b'{"davis": {"psnr": 30.6}}', SCALED).within
    assert not compare("a.json", old, b"broken", SCALED).within


def test_other_words_rows_and_missing_files_are_outside():
    assert not compare("a", b"x,1\n", b"y,1\n", WIDE).within
    assert not compare("a", b"x,1\n", b"x,1\nx,1\n", WIDE).within
    assert not compare("a.csv", b"x\n1\n", b"x\n1\n1\n", WIDE).within
    assert not compare("a.csv", b"x\n1\n", b"x\n1,1\n", WIDE).within
    assert not compare("a", b"x", None, WIDE).within
    assert not compare("a", b"\xff\x01", b"\xff\x02", WIDE).within


def test_names_that_hold_digits_are_words():
    assert not compare("a", b"lift15,1\n", b"lift16,1\n", WIDE).within
