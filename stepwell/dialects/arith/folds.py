"""How the operations of `arith` fold: by their name, a function from the operation to what it is worth (`stepwell.ir.rewrite.folding`).

What is said of one number holds of the elements of vectors and tensors. Constants stand on the right where operands commute: the driver
puts them there. Identities of floats hold for every value, NaN and -0.0 included, unless a fast-math flag gives more freedom.
"""

from __future__ import annotations

from stepwell.dialects.arith.folds_casts import CASTS
from stepwell.dialects.arith.folds_comparisons import COMPARISONS
from stepwell.dialects.arith.folds_floats import FLOATS, negf
from stepwell.dialects.arith.folds_integers import EXTENDED, INTEGERS
from stepwell.ir.rewrite.folding import Folder

FOLDS: dict[str, Folder] = {
    f"arith.{name}": folder for table in (INTEGERS, EXTENDED, FLOATS, COMPARISONS, CASTS, {"negf": negf}) for name, folder in table.items()
}
