"""For `evaluate.load(metric_path("right_language_rate"))`."""

from emma500.evaluation.metrics.modules import metric_class

RightLanguageRate = metric_class("right_language_rate", __name__)
