"""For `evaluate.load(metric_path("exact_match"))`."""

from emma500.evaluation.metrics.modules import metric_class

ExactMatch = metric_class("exact_match", __name__)
