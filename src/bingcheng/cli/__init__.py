"""The command line: the only place beside the server that reads settings and sets up logging."""
