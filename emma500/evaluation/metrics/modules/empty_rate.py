"""For `evaluate.load(metric_path("empty_rate"))`."""

from emma500.evaluation.metrics.modules import metric_class

EmptyRate = metric_class("empty_rate", __name__)
