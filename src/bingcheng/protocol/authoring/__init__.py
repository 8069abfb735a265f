"""Making protocols: learnt from good exams, weighed against a workspace, compared, written down."""
