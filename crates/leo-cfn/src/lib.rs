//! Typed CloudFormation: logical ids, values, resources, fragments, templates, policy documents.
