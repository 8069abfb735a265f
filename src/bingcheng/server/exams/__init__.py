"""The pages on what was assessed: the list of exams, one exam, a patient over time."""
