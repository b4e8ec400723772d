"""Continual pre-training: a model and a corpus -> a model that speaks more languages, and the record of how."""
