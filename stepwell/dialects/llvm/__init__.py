"""`llvm`: LLVM IR as ops. Upstream's dialect; ours are the ops that xDSL lacks, and those of its ops that take scalars only.

The intrinsics stand in `llvm_intrinsics`. Integer arithmetic, memory, calls, functions and globals are xDSL's.
"""

from __future__ import annotations

from xdsl.dialects import llvm as shipped
from xdsl.dialects.llvm import AddOp as AddOp
from xdsl.dialects.llvm import AndOp as AndOp
from xdsl.dialects.llvm import AShrOp as AShrOp
from xdsl.dialects.llvm import BrOp as BrOp
from xdsl.dialects.llvm import CallIntrinsicOp as CallIntrinsicOp
from xdsl.dialects.llvm import CondBrOp as CondBrOp
from xdsl.dialects.llvm import FAddOp as FAddOp
from xdsl.dialects.llvm import FastMathAttr as FastMathAttr
from xdsl.dialects.llvm import FCmpPredicateFlag as FCmpPredicateFlag
from xdsl.dialects.llvm import FDivOp as FDivOp
from xdsl.dialects.llvm import FMulOp as FMulOp
from xdsl.dialects.llvm import FNegOp as FNegOp
from xdsl.dialects.llvm import FRemOp as FRemOp
from xdsl.dialects.llvm import FSubOp as FSubOp
from xdsl.dialects.llvm import ICmpPredicateFlag as ICmpPredicateFlag
from xdsl.dialects.llvm import InlineAsmOp as InlineAsmOp
from xdsl.dialects.llvm import InsertElementOp as InsertElementOp
from xdsl.dialects.llvm import IntToPtrOp as IntToPtrOp
from xdsl.dialects.llvm import LinkageAttr as LinkageAttr
from xdsl.dialects.llvm import LLVMPointerType as LLVMPointerType
from xdsl.dialects.llvm import LLVMVoidType as LLVMVoidType
from xdsl.dialects.llvm import LShrOp as LShrOp
from xdsl.dialects.llvm import MulOp as MulOp
from xdsl.dialects.llvm import OrOp as OrOp
from xdsl.dialects.llvm import OverflowAttr as OverflowAttr
from xdsl.dialects.llvm import PtrToIntOp as PtrToIntOp
from xdsl.dialects.llvm import SDivOp as SDivOp
from xdsl.dialects.llvm import SExtOp as SExtOp
from xdsl.dialects.llvm import ShlOp as ShlOp
from xdsl.dialects.llvm import ShuffleVectorOp as ShuffleVectorOp
from xdsl.dialects.llvm import SRemOp as SRemOp
from xdsl.dialects.llvm import StackRestoreOp as StackRestoreOp
from xdsl.dialects.llvm import StackSaveOp as StackSaveOp
from xdsl.dialects.llvm import SubOp as SubOp
from xdsl.dialects.llvm import TruncOp as TruncOp
from xdsl.dialects.llvm import UDivOp as UDivOp
from xdsl.dialects.llvm import UndefOp as UndefOp
from xdsl.dialects.llvm import UnreachableOp as UnreachableOp
from xdsl.dialects.llvm import URemOp as URemOp
from xdsl.dialects.llvm import XOrOp as XOrOp
from xdsl.dialects.llvm import ZExtOp as ZExtOp

from stepwell.dialects.llvm.addresses import GEP_USE_SSA_VAL as GEP_USE_SSA_VAL
from stepwell.dialects.llvm.addresses import GEPOp as GEPOp
from stepwell.dialects.llvm.aggregates import ExtractValueOp as ExtractValueOp
from stepwell.dialects.llvm.aggregates import ICmpOp as ICmpOp
from stepwell.dialects.llvm.aggregates import InsertValueOp as InsertValueOp
from stepwell.dialects.llvm.calls import CallOp as CallOp
from stepwell.dialects.llvm.casts import AddrSpaceCastOp as AddrSpaceCastOp
from stepwell.dialects.llvm.casts import BitcastOp as BitcastOp
from stepwell.dialects.llvm.casts import FPExtOp as FPExtOp
from stepwell.dialects.llvm.casts import FPToSIOp as FPToSIOp
from stepwell.dialects.llvm.casts import FPToUIOp as FPToUIOp
from stepwell.dialects.llvm.casts import FPTruncOp as FPTruncOp
from stepwell.dialects.llvm.casts import SIToFPOp as SIToFPOp
from stepwell.dialects.llvm.casts import UIToFPOp as UIToFPOp
from stepwell.dialects.llvm.functions import FuncOp as FuncOp
from stepwell.dialects.llvm.functions import ReturnOp as ReturnOp
from stepwell.dialects.llvm.globals import AddressOfOp as AddressOfOp
from stepwell.dialects.llvm.globals import ConstantOp as ConstantOp
from stepwell.dialects.llvm.globals import GlobalOp as GlobalOp
from stepwell.dialects.llvm.globals import ZeroOp as ZeroOp
from stepwell.dialects.llvm.intrinsics import INTRINSICS
from stepwell.dialects.llvm.linkage import CallingConventionAttr as CallingConventionAttr
from stepwell.dialects.llvm.memory import AllocaOp as AllocaOp
from stepwell.dialects.llvm.memory import LoadOp as LoadOp
from stepwell.dialects.llvm.memory import StoreOp as StoreOp
from stepwell.dialects.llvm.switch import SwitchOp as SwitchOp
from stepwell.dialects.llvm.types import TYPES
from stepwell.dialects.llvm.types import LLVMArrayType as LLVMArrayType
from stepwell.dialects.llvm.types import LLVMFunctionType as LLVMFunctionType
from stepwell.dialects.llvm.types import LLVMStructType as LLVMStructType
from stepwell.dialects.llvm.values import ExtractElementOp as ExtractElementOp
from stepwell.dialects.llvm.values import FCmpOp as FCmpOp
from stepwell.dialects.llvm.values import FreezeOp as FreezeOp
from stepwell.dialects.llvm.values import PoisonOp as PoisonOp
from stepwell.dialects.llvm.values import SelectOp as SelectOp
from stepwell.dialects.support import replace_ops

LLVM = replace_ops(
    shipped.LLVM,
    [
        *(PoisonOp, FreezeOp, ExtractElementOp, SelectOp, FCmpOp),
        *(FPToSIOp, FPToUIOp, SIToFPOp, UIToFPOp, FPExtOp, FPTruncOp, BitcastOp, AddrSpaceCastOp),
        *(GEPOp, SwitchOp),
        *(LoadOp, StoreOp, AllocaOp, FuncOp, CallOp, ReturnOp, GlobalOp, AddressOfOp, ConstantOp, ZeroOp),
        *(InsertValueOp, ExtractValueOp, ICmpOp),
        *INTRINSICS,
    ],
    [*TYPES, CallingConventionAttr],
)
