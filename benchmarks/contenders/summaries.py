"""The names of the summaries that are timed; without imports, so that any process may read them."""

NAMES = (
    "outcomes by hospital and criterion",
    "the same of one protocol",
    "peers",
    "which exam was judged from what",
    "findings of one exam",
)
