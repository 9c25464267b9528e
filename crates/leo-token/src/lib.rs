//! The shapes of tokens and keys, found in text.
