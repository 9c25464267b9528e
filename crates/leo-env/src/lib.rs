//! The two .env files and the process environment, read into values with their provenance.
