"""What the server does by itself, in processes of their own: received exams are assessed, others are sent."""
