"""The definition of every kernel in plain array code, over the array module of its arguments (NumPy or CuPy)."""
