//! The data of an environment as it is in the account.
