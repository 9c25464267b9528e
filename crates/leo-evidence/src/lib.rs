//! What a platform's containers did while it was deployed, kept, and the cause of a failure read from it.
