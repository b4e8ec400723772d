"""For `evaluate.load(metric_path("rouge_l"))`."""

from emma500.evaluation.metrics.modules import metric_class

RougeL = metric_class("rouge_l", __name__)
