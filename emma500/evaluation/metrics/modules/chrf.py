"""For `evaluate.load(metric_path("chrf"))`."""

from emma500.evaluation.metrics.modules import metric_class

Chrf = metric_class("chrf", __name__)
