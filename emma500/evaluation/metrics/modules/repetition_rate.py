"""For `evaluate.load(metric_path("repetition_rate"))`."""

from emma500.evaluation.metrics.modules import metric_class

RepetitionRate = metric_class("repetition_rate", __name__)
