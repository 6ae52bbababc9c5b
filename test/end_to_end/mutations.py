"""Sound models made unsound: bytes flipped, the end cut off, or fields changed so that most mutants still parse.

`python test/end_to_end/mutate.py 0 50000` judges thousands.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

NUMBERS = (-(2**63), -(2**31), -7, -2, -1, 0, 1, 2, 3, 5, 8, 17, 64, 1000, 65536, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1)
NAMES = ("", "x", "\0", "a" * 5000, "é", "../../x", "%0", '"', "\n", " ")


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes replaced; one mutant in four is cut off as well."""
    mutant = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        mutant[rng.randrange(len(mutant))] = rng.randrange(256)
    return bytes(mutant[: rng.randrange(len(mutant))] if rng.random() < 0.25 else mutant)


def mutated_fields(data: bytes, rng: random.Random) -> bytes:
    """One to three fields changed, of the graph, of a branch, or of a function."""
    mutant = ModelProto.FromString(data)
    for _ in range(rng.randint(1, 3)):
        try:
            rng.choice(CHANGES)(mutant, rng)
        except (ValueError, DecodeError):
            continue  # protobuf does not hold such a number, or not so deep a message
    return mutant.SerializeToString()


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _nodes(mutant: ModelProto) -> list[NodeProto]:
    return [n for g in _graphs(mutant.graph) for n in g.node] + [n for f in mutant.functions for n in f.node]


def _node(mutant: ModelProto, rng: random.Random) -> NodeProto:
    nodes = _nodes(mutant)
    return rng.choice(nodes) if nodes else mutant.graph.node.add()


def _attribute(mutant: ModelProto, rng: random.Random) -> AttributeProto | None:
    attributes = [a for node in _nodes(mutant) for a in node.attribute]
    return rng.choice(attributes) if attributes else None


def _tensor(mutant: ModelProto, rng: random.Random) -> TensorProto | None:
    tensors = [w for g in _graphs(mutant.graph) for w in g.initializer] + [
        a.t for n in _nodes(mutant) for a in n.attribute if a.HasField("t")
    ]
    return rng.choice(tensors) if tensors else None


def number_in_attribute(mutant: ModelProto, rng: random.Random) -> None:
    """Another number in an attribute."""
    attribute = _attribute(mutant, rng)
    if attribute is None:
        return
    if attribute.type == AttributeProto.FLOAT:
        attribute.f = rng.choice((0.0, -1.0, 1e30, float("inf"), float("nan")))
    elif attribute.type == AttributeProto.INT:
        attribute.i = rng.choice(NUMBERS)
    elif attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)


def length_of_attribute(mutant: ModelProto, rng: random.Random) -> None:
    """A list that is longer or shorter, or text that is other text."""
    attribute = _attribute(mutant, rng)
    if attribute is not None and attribute.ints:
        attribute.ints[:] = list(attribute.ints)[: rng.randrange(len(attribute.ints) + 1)] + [rng.choice(NUMBERS)] * rng.choice(
            (0, 1, 2, 70)
        )
    elif attribute is not None and attribute.s:
        attribute.s = rng.choice((b"", b"\xff\xfe", b"linear", b"SAME_UPPER", b"ij,jk->ik", b"...,...", b"x" * 5000))


def type_of_attribute(mutant: ModelProto, rng: random.Random) -> None:
    """Another type than what is stored, or another name."""
    attribute = _attribute(mutant, rng)
    if attribute is not None and rng.random() < 0.5:
        attribute.type = rng.choice(AttributeProto.AttributeType.values())
    elif attribute is not None:
        attribute.name = rng.choice((*NAMES, "axis", "value", "to"))


def attribute_less(mutant: ModelProto, rng: random.Random) -> None:
    """An attribute less, or one more."""
    node = _node(mutant, rng)
    if node.attribute and rng.random() < 0.6:
        del node.attribute[rng.randrange(len(node.attribute))]
    else:
        node.attribute.append(
            helper.make_attribute(rng.choice(("axis", "axes", "keepdims", "to", "group", "mode")), rng.choice((1, -1, [0, 1], "x", 0.5)))
        )


def operand(mutant: ModelProto, rng: random.Random) -> None:
    """Another operand: of anywhere, what comes later and the node's own results included."""
    node, graph = _node(mutant, rng), mutant.graph
    names = (
        [v.name for v in graph.input] + [w.name for w in graph.initializer] + [o for n in _nodes(mutant) for o in n.output] + ["", "nobody"]
    )
    match rng.randrange(4):
        case 0:
            node.input.append(rng.choice(names))
        case 1 if node.input:
            del node.input[rng.randrange(len(node.input))]
        case _ if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(names)
        case _:
            pass


def result(mutant: ModelProto, rng: random.Random) -> None:
    """A result with a name that is taken, one more, or one less."""
    node = _node(mutant, rng)
    names = [o for n in _nodes(mutant) for o in n.output] + [v.name for v in mutant.graph.input] + list(NAMES)
    match rng.randrange(3):
        case 0:
            node.output.append(rng.choice(names))
        case 1 if node.output:
            del node.output[-1]
        case _ if node.output:
            node.output[rng.randrange(len(node.output))] = rng.choice(names)
        case _:
            pass


def operator(mutant: ModelProto, rng: random.Random) -> None:
    """Another operator, of another domain, and perhaps a function that calls itself."""
    from onnx.defs import get_all_schemas

    node = _node(mutant, rng)
    others = [other.op_type for other in _nodes(mutant)]
    schema = rng.choice(get_all_schemas())
    node.op_type = rng.choice([*others, "Add", "MatMul", "Softmax", "Transpose", "Identity", schema.name, schema.name, schema.name, ""])
    if rng.random() < 0.1:
        node.domain = rng.choice(("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "local", "nobody"))


def extent(mutant: ModelProto, rng: random.Random) -> None:
    """Another extent of an input or output; another rank; a name."""
    values = [*mutant.graph.input, *mutant.graph.output, *mutant.graph.value_info]
    if not values:
        return
    dims = rng.choice(values).type.tensor_type.shape.dim
    match rng.randrange(4):
        case 0:
            dims.add().dim_value = rng.choice(NUMBERS)
        case 1 if dims:
            del dims[rng.randrange(len(dims))]
        case 2 if dims:
            rng.choice(dims).dim_param = rng.choice((*NAMES, "N"))
        case _ if dims:
            rng.choice(dims).dim_value = rng.choice(NUMBERS)
        case _:
            pass


def element_type(mutant: ModelProto, rng: random.Random) -> None:
    """Another element type, or no tensor at all."""
    values = [*mutant.graph.input, *mutant.graph.output]
    if not values:
        return
    value = rng.choice(values)
    if rng.random() < 0.85:
        value.type.tensor_type.elem_type = rng.choice((*TensorProto.DataType.values(), 99, -1))
    else:
        value.type.sequence_type.elem_type.tensor_type.elem_type = 1


def weight(mutant: ModelProto, rng: random.Random) -> None:
    """A weight of another shape or type, with too little or too much, or elsewhere."""
    tensor = _tensor(mutant, rng)
    if tensor is None:
        return
    match rng.randrange(6):
        case 0:
            dims = list(tensor.dims)
            rng.shuffle(dims)
            tensor.dims[:] = dims
        case 1:
            tensor.dims[:] = [rng.choice(NUMBERS) for _ in range(rng.choice((0, 1, 2, 3, 40)))]
        case 2:
            tensor.data_type = rng.choice((*TensorProto.DataType.values(), 99))
        case 3:
            tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)] + b"\xff" * rng.choice((0, 1, 8))
        case 4:
            tensor.data_location = TensorProto.EXTERNAL
            for key, text in (
                ("location", rng.choice(("/etc/passwd", "../x", "x", "", "\0"))),
                ("offset", rng.choice(("0", "-1", "x", "9" * 30))),
            ):
                entry = tensor.external_data.add()
                entry.key, entry.value = key, text
        case _:
            if tensor.raw_data:
                content = bytearray(tensor.raw_data)
                content[rng.randrange(len(content))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
                tensor.raw_data = bytes(content)


def name(mutant: ModelProto, rng: random.Random) -> None:
    """Another name for an input, an output, a weight or a node."""
    named: list[Any] = [
        *mutant.graph.input,
        *mutant.graph.output,
        *mutant.graph.initializer,
        *_nodes(mutant),
        mutant.graph,
        *mutant.functions,
    ]
    rng.choice(named).name = rng.choice((*NAMES, *(getattr(other, "name", "") for other in named)))


def order(mutant: ModelProto, rng: random.Random) -> None:
    """Nodes in another order, twice, or gone."""
    graph = rng.choice(list(_graphs(mutant.graph)))
    nodes = list(graph.node)
    match rng.randrange(3):
        case 0:
            rng.shuffle(nodes)
        case 1 if nodes:
            nodes.append(rng.choice(nodes))
        case _ if nodes:
            del nodes[rng.randrange(len(nodes))]
        case _:
            pass
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def opset(mutant: ModelProto, rng: random.Random) -> None:
    """Another opset, none, or two of one domain."""
    match rng.randrange(3):
        case 0:
            del mutant.opset_import[:]
        case 1:
            entry = mutant.opset_import.add()
            entry.domain, entry.version = rng.choice(("", "ai.onnx.ml", "x")), rng.choice(NUMBERS)
        case _:
            for entry in mutant.opset_import:
                entry.version = rng.choice((*NUMBERS, *range(1, 30)))
    if rng.random() < 0.2:
        mutant.ir_version = rng.choice(NUMBERS)


def function(mutant: ModelProto, rng: random.Random) -> None:
    """Functions that call themselves or each other, alone or by several ways."""
    if not any(entry.domain == "local" for entry in mutant.opset_import):
        mutant.opset_import.append(helper.make_opsetid("local", 1))
    calls = rng.choice((["F"], ["G"], ["F", "F"], ["G", "G"]))
    node = _node(mutant, rng)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for own, called in (("F", calls), ("G", rng.choice((["F"], ["Relu"])))):
        last, nodes = "a", []
        for index, callee in enumerate(called):
            nodes.append(helper.make_node(callee, [last], [f"{own}{index}"], domain="" if callee == "Relu" else "local"))
            last = f"{own}{index}"
        mutant.functions.append(helper.make_function("local", own, ["a"], [last], nodes, imports))
    node.op_type, node.domain = rng.choice("FG"), "local"
    del node.attribute[:]


def depth(mutant: ModelProto, rng: random.Random) -> None:
    """A branch in a branch in a branch, or functions that double what they call."""
    node = _node(mutant, rng)
    if not node.output:
        return
    inner = NodeProto.FromString(node.SerializeToString())
    levels = rng.choice((2, 30, 70, 90))
    for level in range(levels):
        inner.output[0] = f"deep{level}"
        body = helper.make_graph([inner], "b", [], [helper.make_empty_tensor_value_info(inner.output[0])])
        inner = helper.make_node(
            "If",
            [rng.choice(["c", inner.input[0] if inner.input else ""])],
            ["t"],
            then_branch=body,
            else_branch=body if level < 8 else helper.make_graph([], "e", [], []),
        )
        if inner.ByteSize() > 2**20:
            return
    inner.output[0] = node.output[0]
    node.CopyFrom(inner)


CHANGES: tuple[Callable[[ModelProto, random.Random], None], ...] = (
    number_in_attribute,
    number_in_attribute,
    length_of_attribute,
    type_of_attribute,
    attribute_less,
    operand,
    operand,
    result,
    operator,
    operator,
    extent,
    extent,
    element_type,
    weight,
    weight,
    name,
    order,
    opset,
    function,
    depth,
)
"""What may happen; what happens more often stands there twice."""
