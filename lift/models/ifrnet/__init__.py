"""IFRNet (Kong et al., CVPR 2022), its light variants, and IFRVP, which predicts with the same network."""
