//! Brings secrets from .env to Secrets Manager.
