"""The agreed protocols as cited data, and the judgement of exams against them."""
