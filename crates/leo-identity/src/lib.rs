//! The execution and task roles, least privilege.
