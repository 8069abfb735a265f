"""Exams that were received by the archive: judged and measured, with what is made of them beside them."""
