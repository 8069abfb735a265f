"""How lesions were matched between exams, in words, tables and JSON."""
