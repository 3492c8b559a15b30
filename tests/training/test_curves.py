"""Curves of several seeds in one file."""

from lift.training.logs import join_curves


def test_joined_curves_hold_every_row_under_its_seed(tmp_path):
    (tmp_path / "a.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    (tmp_path / "b.csv").write_text("step,loss,psnr\n1,0.75,\n2,0.5,20\n")
    out = tmp_path / "a.csv"  # the first seed's own file gives way to that of all
    join_curves(out, {7: tmp_path / "a.csv", 9: tmp_path / "b.csv"})
    assert out.read_text() == "seed,step,loss,psnr\n7,1,0.5,\n7,2,0.25,\n9,1,0.75,\n9,2,0.5,20\n"
