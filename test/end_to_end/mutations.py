"""Sound models made unsound: a few bytes flipped, the end cut off, or fields changed so that most mutants still parse."""

from __future__ import annotations

import random

from onnx import AttributeProto, ModelProto

NUMBERS = (-(2**63), -(2**31), -7, -2, -1, 0, 1, 2, 3, 5, 8, 17, 64, 1000, 65536, 2**31 - 1, 2**31, 2**40, 2**63 - 1)


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes replaced; one mutant in four is cut off as well."""
    mutant = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        mutant[rng.randrange(len(mutant))] = rng.randrange(256)
    return bytes(mutant[: rng.randrange(len(mutant))] if rng.random() < 0.25 else mutant)


def mutated_fields(data: bytes, rng: random.Random) -> bytes:
    """One to three fields of the graph changed."""
    mutant = ModelProto.FromString(data)
    for _ in range(rng.randint(1, 3)):
        _change_field(mutant, rng)
    return mutant.SerializeToString()


def _change_field(mutant: ModelProto, rng: random.Random) -> None:
    graph = mutant.graph
    node = rng.choice(graph.node)
    match rng.randrange(7):
        case 0:  # another number in an attribute
            attributes = [a for a in node.attribute if a.type in (AttributeProto.INT, AttributeProto.INTS, AttributeProto.FLOAT)]
            if attributes:
                attribute = rng.choice(attributes)
                if attribute.type == AttributeProto.FLOAT:
                    attribute.f = rng.choice((0.0, -1.0, 1e30, float("inf"), float("nan")))
                elif attribute.type == AttributeProto.INT:
                    attribute.i = rng.choice(NUMBERS)
                elif attribute.ints:
                    attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        case 1:  # an attribute less
            if node.attribute:
                del node.attribute[rng.randrange(len(node.attribute))]
        case 2:  # another operand
            names = [value.name for value in graph.input] + [w.name for w in graph.initializer] + [n.output[0] for n in graph.node] + [""]
            if node.input:
                node.input[rng.randrange(len(node.input))] = rng.choice(names)
        case 3:  # another operator
            node.op_type = rng.choice([other.op_type for other in graph.node] + ["Add", "MatMul", "Softmax", "Transpose", "Identity"])
        case 4:  # another extent of an input
            dims = rng.choice(graph.input).type.tensor_type.shape.dim
            if dims:
                rng.choice(dims).dim_value = rng.choice(NUMBERS)
        case 5:  # another shape of a weight, of the same size
            weights = [weight for weight in graph.initializer if len(weight.dims) > 1]
            if weights:
                weight = rng.choice(weights)
                dims = list(weight.dims)
                rng.shuffle(dims)
                weight.dims[:] = dims
        case _:  # another element type
            rng.choice(graph.input).type.tensor_type.elem_type = rng.choice((1, 6, 7, 9, 10, 11, 16))
