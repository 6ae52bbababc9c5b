// RUN: mlopt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'func.func' op symbol declaration cannot have public visibility}}
func.func @nothing_said()

// -----

// expected-error @+1 {{'func.func' op symbol declaration cannot have public visibility}}
func.func public @public(i32) -> i32

// -----

func.func private @private(i32) -> i32
func.func nested @nested(i32) -> i32
