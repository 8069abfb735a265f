"""Headers into exams, series and volumes with real geometry."""
