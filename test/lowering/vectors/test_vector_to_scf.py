"""`convert-vector-to-scf`: transfers in every form read and write the same through a buffer, unrolled, and element by element."""

from __future__ import annotations

import numpy as np
import pytest

from stepwell.backends.interpreter import run
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify
from stepwell.lowering.vectors.convert_vector_to_scf import ConvertVectorToScf

FORMS = {
    "inside": ("vector<2x3xf32>", "", "{in_bounds = [true, true]}"),
    "across the border": ("vector<4x5xf32>", "", ""),
    "three dimensions": ("vector<2x1x3xf32>", "", "{permutation_map = affine_map<(d0, d1) -> (d0, 0, d1)>}"),
    "transposed": ("vector<5x4xf32>", "", "{permutation_map = affine_map<(d0, d1) -> (d1, d0)>}"),
    "repeated": ("vector<3x4xf32>", "", "{permutation_map = affine_map<(d0, d1) -> (0, d0)>, in_bounds = [true, false]}"),
    "a column": ("vector<5xf32>", "", "{permutation_map = affine_map<(d0, d1) -> (d0)>}"),
    "masked": ("vector<2x4xf32>", "vector<2x4xi1>", ""),
    "masked and transposed": ("vector<4x2xf32>", "vector<2x4xi1>", "{permutation_map = affine_map<(d0, d1) -> (d1, d0)>}"),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("options", [{}, {"full_unroll": True}, {"full_unroll": True, "target_rank": 0}])
@pytest.mark.parametrize("is_read", [True, False])
def test_transfers(name: str, options: dict[str, object], is_read: bool) -> None:
    type, mask, how = FORMS[name]
    if not is_read and (" 0" in how or "(0" in how):
        pytest.skip("what is written cannot be repeated")
    made = "%k = vector.create_mask %two, %three : " + mask + "\n " if mask else ""
    lanes = ", %k" if mask else ""
    if is_read:
        body = f"%r = vector.transfer_read %m[%i, %j], %pad{lanes} {how} : memref<5x6xf32>, {type}\n return %r : {type}"
    else:
        body = f"vector.transfer_write %v, %m[%i, %j]{lanes} {how} : {type}, memref<5x6xf32>\n return %v : {type}"
    text = f"""func.func @f(%m: memref<5x6xf32>, %v: {type}, %i: index, %j: index) -> {type} {{
      %pad = arith.constant 7.0 : f32
      %two = arith.constant 2 : index
      %three = arith.constant 3 : index
      {made}{body}
    }}"""
    shape = [int(part) for part in type[7:-1].split("x")[:-1]]
    random = np.random.default_rng(3)
    memory = random.integers(-4, 5, (5, 6)).astype(np.float32)
    value = random.integers(-4, 5, shape).astype(np.float32)
    outcomes: list[list[np.ndarray]] = []
    for is_lowered in (False, True):
        module = parse_module(text, make_context())
        if is_lowered:
            ConvertVectorToScf(**options).run(module, make_context())  # pyright: ignore[reportArgumentType]
            verify(module)
            most = int(options.get("target_rank", 1))  # pyright: ignore[reportArgumentType]
            assert all(len(op.results[0].type.get_shape()) <= most for op in module.walk() if op.name == "vector.transfer_read")  # pyright: ignore
        buffer = memory.copy()
        outcomes.append([buffer, *run(module, "f", buffer, value, 2, 1)])
    for before, after in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(before, after)
