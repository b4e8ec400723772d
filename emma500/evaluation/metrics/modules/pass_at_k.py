"""For `evaluate.load(metric_path("pass_at_k"))`."""

from emma500.evaluation.metrics.modules import metric_class

PassAtK = metric_class("pass_at_k", __name__)
