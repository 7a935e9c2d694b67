"""Where code runs: compilation, threads, memory."""
