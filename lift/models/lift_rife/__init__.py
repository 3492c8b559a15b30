"""LIFT on RIFE (`flow: rife`): RIFE v4.25's motion and mask, corrected by all frames of the window.

1. RIFE, frozen, sees the two references: a frame, two flows, a mask (lift/models/rife_v4).
2. Its motion is refined until the references agree, then until the frames beyond them agree as well, which
   also show acceleration (lift/models/matching/variational.py).
3. Each of the three motions is believed by how well the frames bear it out, pixel by pixel, which needs no
   truth: all frames', else the references', else RIFE's (belief.py).
4. The references, warped by each, are blended by RIFE's mask and by visibility (window.py).

Nothing is learnt here: it is RIFE or better from the first step on, and what LIFT learns is added to it.
"""
