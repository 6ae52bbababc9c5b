// RUN: mlopt %s --nn-choose-convolution --split-input-file --verify-diagnostics

// expected-error @below {{strict numerics do not allow convolution = 'winograd_4'}}
module attributes {stepwell.numerics = "strict", stepwell.convolution = "winograd_4"} {
}

// -----

// expected-error @below {{convolution cannot be 'fft'}}
module attributes {stepwell.convolution = "fft"} {
}
