//! ARNs of what the configuration names but this stack does not hold.

use leo_cfn::{Value, join, pseudo};

/// `arn:<partition>:<service>:<region>:<account>:<resource>` in the stack's own account and region.
pub(crate) fn here(service: &str, resource: &str) -> Value<String> {
    join(
        ":",
        [
            "arn".into(),
            pseudo::partition(),
            service.into(),
            pseudo::region(),
            pseudo::account_id(),
            resource.into(),
        ],
    )
}
