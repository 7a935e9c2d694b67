"""The engine: tensors, ops, the tape, the symbolic graph. It knows nothing of layers."""
