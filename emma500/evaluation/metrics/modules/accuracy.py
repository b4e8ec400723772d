"""For `evaluate.load(metric_path("accuracy"))`."""

from emma500.evaluation.metrics.modules import metric_class

Accuracy = metric_class("accuracy", __name__)
