"""What canonicalizes `arith` beyond folds: the patterns by the name of the operation, each of which shows what it does, on all types that
the operations take."""

from __future__ import annotations

from xdsl.pattern_rewriter import RewritePattern

from stepwell.dialects.arith.canonical_casts import (
    AddOfNegatedFloat,
    BitcastOfBitcast,
    FloatOfExtended,
    IndexCastOfExtended,
    ProductOfNegated,
    SignExtendOfZeroExtended,
    SubFromNegativeZero,
    TruncateOfExtended,
    TruncateOfFloat,
    TruncateOfShiftedProduct,
    TruncateOfSignedShift,
)
from stepwell.dialects.arith.canonical_comparisons import (
    CompareConverted,
    CompareExtended,
    NotOfComparison,
    SelectOfComparison,
    SelectOfNestedConditions,
    SelectOfNot,
    SelectOfOneAndZero,
    SelectOfSelect,
)
from stepwell.dialects.arith.canonical_integers import (
    AddOfNegated,
    AddOfSumWithConstant,
    BitsOfBitsWithConstant,
    BitsOfExtended,
    ConstantMinusSum,
    ExtendedWithUnusedHigh,
    MulOfProductWithConstant,
    SignedExtendedByOne,
    SubOfDifference,
    SubOfSumWithConstant,
)

PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "arith.addi": (AddOfSumWithConstant(), AddOfNegated()),
    "arith.subi": (SubOfSumWithConstant(), ConstantMinusSum(), SubOfDifference()),
    "arith.muli": (MulOfProductWithConstant(),),
    "arith.addui_extended": (ExtendedWithUnusedHigh(),),
    "arith.mulsi_extended": (ExtendedWithUnusedHigh(), SignedExtendedByOne()),
    "arith.mului_extended": (ExtendedWithUnusedHigh(),),
    "arith.andi": (BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.ori": (BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.xori": (NotOfComparison(), BitsOfBitsWithConstant(), BitsOfExtended()),
    "arith.cmpi": (CompareExtended(),),
    "arith.cmpf": (CompareConverted(),),
    "arith.select": (SelectOfSelect(), SelectOfNot(), SelectOfNestedConditions(), SelectOfOneAndZero(), SelectOfComparison()),
    "arith.extsi": (SignExtendOfZeroExtended(),),
    "arith.trunci": (TruncateOfExtended(), TruncateOfSignedShift(), TruncateOfShiftedProduct()),
    "arith.index_cast": (IndexCastOfExtended(),),
    "arith.index_castui": (IndexCastOfExtended(),),
    "arith.bitcast": (BitcastOfBitcast(),),
    "arith.sitofp": (FloatOfExtended(),),
    "arith.uitofp": (FloatOfExtended(),),
    "arith.truncf": (TruncateOfFloat(),),
    "arith.mulf": (ProductOfNegated(),),
    "arith.divf": (ProductOfNegated(),),
    "arith.addf": (AddOfNegatedFloat(),),
    "arith.subf": (SubFromNegativeZero(),),
    **{
        f"arith.{name}": ()
        for name in "divui divsi ceildivui ceildivsi floordivsi remui remsi shli shrui shrsi minsi maxsi minui maxui".split()
    },
}
"""Instead of those that the shipped definitions name: folds do what they do, on all types."""
