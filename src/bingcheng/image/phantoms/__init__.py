"""Analytic objects with a known truth: shapes, blur without staircase, noise of exact strength, ready-made cases."""
