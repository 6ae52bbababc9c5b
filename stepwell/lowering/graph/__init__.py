"""The passes of this room by name, imported only when used: name -> "module:class"."""

PASSES: dict[str, str] = {
    "nn-canonicalize": "stepwell.lowering.graph.canonicalize:Canonicalize",
    "nn-choose-convolution": "stepwell.lowering.graph.choose_convolution:ChooseConvolution",
    "nn-cse": "stepwell.lowering.graph.cse:Cse",
    "nn-dce": "stepwell.lowering.graph.dce:Dce",
    "nn-decompose": "stepwell.lowering.graph.decompose:Decompose",
    "nn-explicit-padding": "stepwell.lowering.graph.explicit_padding:ExplicitPadding",
    "nn-flush-denormals": "stepwell.lowering.graph.flush_denormals:FlushDenormals",
    "nn-fold-affine": "stepwell.lowering.graph.fold_affine:FoldAffine",
    "nn-fold-constants": "stepwell.lowering.graph.fold_constants:FoldConstants",
    "nn-form-kernels": "stepwell.lowering.graph.form_kernels:FormKernels",
    "nn-keep-narrow-weights": "stepwell.lowering.graph.keep_narrow_weights:KeepNarrowWeights",
    "nn-raise": "stepwell.lowering.graph.raise_composites:RaiseComposites",
    "nn-raise-attention": "stepwell.lowering.graph.raise_attention:RaiseAttention",
    "nn-rematerialize": "stepwell.lowering.graph.rematerialize:Rematerialize",
    "nn-to-channels-last": "stepwell.lowering.graph.channels_last:ToChannelsLast",
}
