"""A larger vocabulary for a model that lacks pieces for its new languages."""
