"""Entry points of the pipeline, one per DVC stage: `python -m stages.NAME PROFILE [ABLATION [BENCHMARK]]`."""
