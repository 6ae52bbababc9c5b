"""`arith`: integer and float arithmetic on scalars, vectors and tensors. Upstream's dialect; ours are the ops that xDSL has for scalars
only.

Casts, comparisons and `select` work elementwise on n-D vectors and tensors, as upstream.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects import arith as shipped
from xdsl.dialects.arith import AddiOp as AddiOp
from xdsl.dialects.arith import AddUIExtendedOp as AddUIExtendedOp
from xdsl.dialects.arith import AndIOp as AndIOp
from xdsl.dialects.arith import BitcastOp as BitcastOp
from xdsl.dialects.arith import CeilDivSIOp as CeilDivSIOp
from xdsl.dialects.arith import CeilDivUIOp as CeilDivUIOp
from xdsl.dialects.arith import ConstantOp as ConstantOp
from xdsl.dialects.arith import DivSIOp as DivSIOp
from xdsl.dialects.arith import DivUIOp as DivUIOp
from xdsl.dialects.arith import FastMathFlagsAttr as FastMathFlagsAttr
from xdsl.dialects.arith import FloorDivSIOp as FloorDivSIOp
from xdsl.dialects.arith import IntegerOverflowAttr as IntegerOverflowAttr
from xdsl.dialects.arith import MaximumfOp as MaximumfOp
from xdsl.dialects.arith import MaxnumfOp as MaxnumfOp
from xdsl.dialects.arith import MaxSIOp as MaxSIOp
from xdsl.dialects.arith import MaxUIOp as MaxUIOp
from xdsl.dialects.arith import MinimumfOp as MinimumfOp
from xdsl.dialects.arith import MinnumfOp as MinnumfOp
from xdsl.dialects.arith import MinSIOp as MinSIOp
from xdsl.dialects.arith import MinUIOp as MinUIOp
from xdsl.dialects.arith import MuliOp as MuliOp
from xdsl.dialects.arith import MulSIExtendedOp as MulSIExtendedOp
from xdsl.dialects.arith import MulUIExtendedOp as MulUIExtendedOp
from xdsl.dialects.arith import OrIOp as OrIOp
from xdsl.dialects.arith import RemSIOp as RemSIOp
from xdsl.dialects.arith import RemUIOp as RemUIOp
from xdsl.dialects.arith import ShLIOp as ShLIOp
from xdsl.dialects.arith import SubiOp as SubiOp
from xdsl.dialects.arith import XOrIOp as XOrIOp
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr
from xdsl.ir import Attribute

from stepwell.dialects.arith.arithmetic import NO_FLAGS as NO_FLAGS
from stepwell.dialects.arith.arithmetic import ROUNDED as ROUNDED
from stepwell.dialects.arith.arithmetic import AddfOp as AddfOp
from stepwell.dialects.arith.arithmetic import DivfOp as DivfOp
from stepwell.dialects.arith.arithmetic import MulfOp as MulfOp
from stepwell.dialects.arith.arithmetic import NegfOp as NegfOp
from stepwell.dialects.arith.arithmetic import RemfOp as RemfOp
from stepwell.dialects.arith.arithmetic import Rounding as Rounding
from stepwell.dialects.arith.arithmetic import RoundingMode as RoundingMode
from stepwell.dialects.arith.arithmetic import RoundingModeAttr as RoundingModeAttr
from stepwell.dialects.arith.arithmetic import ShRSIOp as ShRSIOp
from stepwell.dialects.arith.arithmetic import ShRUIOp as ShRUIOp
from stepwell.dialects.arith.arithmetic import SubfOp as SubfOp
from stepwell.dialects.arith.casts import CastOperation as CastOperation
from stepwell.dialects.arith.casts import ConvertFOp as ConvertFOp
from stepwell.dialects.arith.casts import ExtFOp as ExtFOp
from stepwell.dialects.arith.casts import ExtSIOp as ExtSIOp
from stepwell.dialects.arith.casts import ExtUIOp as ExtUIOp
from stepwell.dialects.arith.casts import FPToSIOp as FPToSIOp
from stepwell.dialects.arith.casts import FPToUIOp as FPToUIOp
from stepwell.dialects.arith.casts import IndexCastOp as IndexCastOp
from stepwell.dialects.arith.casts import IndexCastUIOp as IndexCastUIOp
from stepwell.dialects.arith.casts import SIToFPOp as SIToFPOp
from stepwell.dialects.arith.casts import TruncFOp as TruncFOp
from stepwell.dialects.arith.casts import TruncIOp as TruncIOp
from stepwell.dialects.arith.casts import UIToFPOp as UIToFPOp
from stepwell.dialects.arith.comparisons import CMPF_PREDICATES as CMPF_PREDICATES
from stepwell.dialects.arith.comparisons import CMPI_PREDICATES as CMPI_PREDICATES
from stepwell.dialects.arith.comparisons import ENUM_EXPECTED as ENUM_EXPECTED
from stepwell.dialects.arith.comparisons import CmpfOp as CmpfOp
from stepwell.dialects.arith.comparisons import CmpiOp as CmpiOp
from stepwell.dialects.arith.comparisons import Comparison as Comparison
from stepwell.dialects.arith.comparisons import SelectOp as SelectOp
from stepwell.dialects.arith.comparisons import parse_fastmath as parse_fastmath
from stepwell.dialects.support import replace_ops


def constant_index(value: int) -> ConstantOp:
    """`arith.constant value : index`"""
    return ConstantOp.create(properties={"value": IntegerAttr(value, IndexType())}, result_types=[IndexType()])


def constant_float(value: float, type: Attribute) -> ConstantOp:
    """`arith.constant value : type` of a scalar float type."""
    attribute: FloatAttr[Any] = FloatAttr(value, type)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]
    return ConstantOp.create(properties={"value": attribute}, result_types=[type])


Arith = replace_ops(
    shipped.Arith,
    [
        *(AddfOp, SubfOp, MulfOp, DivfOp, ShRSIOp, ShRUIOp),
        *(CmpiOp, CmpfOp, SelectOp, NegfOp, RemfOp),
        *(ExtSIOp, ExtUIOp, TruncIOp, ExtFOp, TruncFOp, ConvertFOp),
        *(SIToFPOp, UIToFPOp, FPToSIOp, FPToUIOp, IndexCastOp, IndexCastUIOp),
    ],
    [RoundingModeAttr],
)
