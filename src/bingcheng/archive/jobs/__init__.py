"""What is done in the background with exams that were received: a queue that survives the program's end."""
