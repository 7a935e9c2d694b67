"""The sweep: every public op beside real Keras, in value, dtype, symbolic shape and gradient, by a table of rows."""
