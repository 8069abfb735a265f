"""Speed and memory of Bingcheng, as ratios against peers in one run: ``python -m benchmarks``."""
