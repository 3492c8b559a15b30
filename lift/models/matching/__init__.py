"""LIFT's variant `flow: matching`: motion found by comparing frames, refined, and blended by agreement."""
