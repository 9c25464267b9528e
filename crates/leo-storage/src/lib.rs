//! The registry (repositories, artifacts bucket) and an environment's data (bucket, secrets).
