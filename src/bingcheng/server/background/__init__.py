"""What the server does by itself: exams that were received are assessed, in a process of their own."""
