//! What is wrong with the environment files, and what each key is set to.
