"""How a kernel is run fast: one file for each class of kernels. A strategy only writes a schedule; it changes no loop itself."""
