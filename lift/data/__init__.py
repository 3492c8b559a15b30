"""Footage in official layouts -> archives of clips -> tensors.

`sources/` knows the layouts, `windows` which frames make a clip, `build` writes a clip set (`frames.zip`,
`clips.csv`, `truth.zip`, `summary.json`), `dataset` reads one. Only `dataset` imports torch.
"""
