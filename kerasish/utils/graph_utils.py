"""Where symbolic tensors come from."""


def get_source_inputs(tensor):
    """Lists the inputs from which a symbolic tensor is computed.

    Args:
        tensor: A KerasTensor.

    Returns:
        List of KerasTensors, each once; what has no history is returned as it is.
    """
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        return tensor
    operation, node_index, _ = history
    if operation is None or not operation._inbound_nodes:
        return [tensor]
    node = operation._inbound_nodes[node_index]
    if node.is_input:
        return list(node.output_tensors)
    sources = []
    for upstream in node.input_tensors:
        sources.extend(x for x in get_source_inputs(upstream) if all(x is not seen for seen in sources))
    return sources
