"""A machine of many threads in numpy that executes PTX: what comes out is what the text says, and what a race or a stray access would hide
is an error that names the line and the thread."""
