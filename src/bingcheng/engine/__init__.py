"""The run: exams in, results into the workspace, an assessment out."""
