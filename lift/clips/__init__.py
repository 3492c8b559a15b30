"""Footage in official layouts -> archives of clips.

`sources/` knows the layouts, `windows` which frames make a clip, `build` writes a clip set (`frames.zip`,
`clips.csv`, `truth.zip`, `summary.json`). Trainings read clips by `lift/data` and depend on nothing here.
"""
