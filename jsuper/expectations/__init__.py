"""Expectations over features without sampling."""
