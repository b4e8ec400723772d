"""For `evaluate.load(metric_path("self_bleu"))`."""

from emma500.evaluation.metrics.modules import metric_class

SelfBleu = metric_class("self_bleu", __name__)
