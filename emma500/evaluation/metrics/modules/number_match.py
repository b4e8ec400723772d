"""For `evaluate.load(metric_path("number_match"))`."""

from emma500.evaluation.metrics.modules import metric_class

NumberMatch = metric_class("number_match", __name__)
