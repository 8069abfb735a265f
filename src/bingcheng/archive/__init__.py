"""What is kept: the workspace's database."""
