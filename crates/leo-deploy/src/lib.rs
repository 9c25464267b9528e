//! The CloudFormation deploy engine and its health gate.
