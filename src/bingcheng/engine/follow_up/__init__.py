"""Lesions over a patient's exams: matched by their images, decided by people, shown."""
