"""For `evaluate.load(metric_path("bleu"))`."""

from emma500.evaluation.metrics.modules import metric_class

Bleu = metric_class("bleu", __name__)
