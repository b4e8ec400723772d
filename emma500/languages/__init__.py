"""Codes, scripts, resource groups, and the identification of languages."""
