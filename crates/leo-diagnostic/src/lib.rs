//! A finding with its place, what was found and the fix, and how it is printed.
