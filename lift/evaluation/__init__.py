"""Measuring methods on benchmarks: trained models and untrained baselines, run and judged in one way."""

from lift.evaluation.baselines import BASELINES
from lift.evaluation.method import Method, Prediction, of_model
from lift.evaluation.run import evaluate

__all__ = ["BASELINES", "Method", "Prediction", "evaluate", "of_model"]
