"""For `evaluate.load(metric_path("bits_per_byte"))`."""

from emma500.evaluation.metrics.modules import metric_class

BitsPerByte = metric_class("bits_per_byte", __name__)
