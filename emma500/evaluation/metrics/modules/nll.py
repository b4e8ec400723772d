"""For `evaluate.load(metric_path("nll"))`."""

from emma500.evaluation.metrics.modules import metric_class

Nll = metric_class("nll", __name__)
