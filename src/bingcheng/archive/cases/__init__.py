"""Cases: de-identified exams with a diagnosis and teaching points, granted to others, discussed and searched."""
