"""Does kerasish equal Keras? Cases are builders that take the module; `python -m parity` prints the table."""
