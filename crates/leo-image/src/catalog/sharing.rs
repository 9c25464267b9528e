use std::collections::BTreeSet;

use aws_sdk_ecr::operation::get_repository_policy::GetRepositoryPolicyError;
use serde_json::Value;

use crate::{Catalog, ImageError, Repository};

impl Catalog {
    /// Whom the repository's own policy lets in besides the account `account`: other accounts, their roles, services, as the
    /// policy spells them; `*` for everybody. Empty where there is no policy.
    ///
    /// # Errors
    /// [`ImageError::Answer`] where the policy can't be understood.
    pub async fn shared_with(
        &self,
        repository: &Repository,
        account: &str,
    ) -> Result<BTreeSet<String>, ImageError> {
        let call = self.client.get_repository_policy().repository_name(&repository.name).send();
        let answer = match call.await {
            Ok(answer) => answer,
            Err(error) => match error.as_service_error() {
                Some(GetRepositoryPolicyError::RepositoryPolicyNotFoundException(_)) => {
                    return Ok(BTreeSet::new());
                }
                _ => return Err(ImageError::ecr("GetRepositoryPolicy", &repository.name, &error)),
            },
        };
        allowed(answer.policy_text().unwrap_or_default(), account).map_err(|problem| ImageError::Answer {
            what: "a repository's policy",
            problem: format!("{}: {problem}", repository.name),
        })
    }
}

/// The principals of a policy that are not of this account. Whether a condition narrows them down is not judged.
fn allowed(policy: &str, account: &str) -> Result<BTreeSet<String>, String> {
    let policy: Value = serde_json::from_str(policy).map_err(|error| error.to_string())?;
    let mut others = BTreeSet::new();
    for statement in one_or_many(policy.get("Statement").unwrap_or(&Value::Null)) {
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            continue;
        }
        let Some(principal) = statement.get("Principal") else {
            // Everybody but some.
            others.insert("*".to_owned());
            continue;
        };
        let named: Vec<&Value> = match principal {
            Value::Object(kinds) => kinds.values().flat_map(one_or_many).collect(),
            other => one_or_many(other).collect(),
        };
        others.extend(named.into_iter().map(|named| named.as_str().unwrap_or("*").to_owned()));
    }
    let ours = |principal: &String| principal == account || principal.split(':').nth(4) == Some(account);
    others.retain(|principal| !ours(principal));
    Ok(others)
}

/// A policy spells a list of one without the list.
fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Value::Array(many) => (many.as_slice(), None),
        Value::Null => (&[][..], None),
        one => (&[][..], Some(one)),
    };
    many.iter().chain(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_is_not_of_this_account_may_run_an_image_unseen() {
        let statement =
            |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "ecr:*"});
        let role = |account: &str| format!("arn:aws:iam::{account}:role/deploy");
        let table = [
            (json!({"Statement": []}), &[][..]),
            (json!({"Statement": statement(json!({"AWS": "111122223333"}))}), &[]),
            (json!({"Statement": [statement(json!({"AWS": [role("111122223333")]}))]}), &[]),
            (json!({"Statement": statement(json!("*"))}), &["*"]),
            (
                json!({"Statement": [
                    statement(json!({"AWS": [role("111122223333"), "444455556666"]})),
                    statement(json!({"Service": "lambda.amazonaws.com"})),
                    {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"},
                ]}),
                &["444455556666", "lambda.amazonaws.com"],
            ),
            (json!({"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}}}), &["*"]),
        ];
        for (policy, expected) in table {
            let found = allowed(&policy.to_string(), "111122223333").unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{policy}");
        }
        assert!(allowed("{", "111122223333").is_err());
    }
}
