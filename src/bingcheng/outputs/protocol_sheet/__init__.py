"""The sheet that hangs at the console: what a protocol asks, to be printed on paper."""
