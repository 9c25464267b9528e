//! What a role's policies say about reading secrets.

use super::resource_of;
use serde_json::Value as Json;

/// The only action that a secret's value needs: with the account's own key nothing has to be decrypted by the role.
const READ: &str = "secretsmanager:GetSecretValue";
const ROLE: &str = "AWS::IAM::Role";
/// Resources that put a policy on a role from outside, with the property that names the role.
const ATTACHED: [(&str, &str); 3] = [
    ("AWS::IAM::Policy", "Roles"),
    ("AWS::IAM::ManagedPolicy", "Roles"),
    ("AWS::IAM::RolePolicy", "RoleName"),
];

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach<'a> {
    /// One resource of the template, by logical id.
    One(&'a str),
    /// Anything else: a pattern, or a text that may be one.
    Pattern(&'a Json),
}

impl Reach<'_> {
    /// Whether it can't be ruled out that it is this resource.
    pub(super) fn may_be(&self, id: &str) -> bool {
        match self {
            Self::One(other) => *other == id,
            Self::Pattern(_) => true,
        }
    }
}

/// What a role may read and what it is forbidden.
#[derive(Debug, Default)]
pub(super) struct Grants<'a> {
    pub(super) allowed: Vec<Reach<'a>>,
    pub(super) denied: Vec<Reach<'a>>,
    /// What can't be followed, each as what the role does.
    pub(super) unclear: Vec<String>,
}

impl<'a> Grants<'a> {
    pub(super) fn of(template: &'a Json, role: &str) -> Self {
        let mut grants = Self::default();
        let body = &template["Resources"][role];
        if body["Type"] != ROLE {
            grants.unclear.push("is no role of the foundation".to_owned());
            return grants;
        }
        let properties = &body["Properties"];
        if list(&properties["ManagedPolicyArns"]).next().is_some() {
            grants.unclear.push("has managed policies, which are not in the template".to_owned());
        }
        let own = list(&properties["Policies"]).map(|policy| &policy["PolicyDocument"]);
        let attached = ATTACHED.iter().flat_map(|(kind, names)| {
            super::resources(template, kind)
                .filter(|(_, policy)| list(&policy[*names]).any(|name| resource_of(name) == Some(role)))
                .map(|(_, policy)| &policy["PolicyDocument"])
        });
        for statement in own.chain(attached).flat_map(|document| list(&document["Statement"])) {
            grants.take(statement);
        }
        grants
    }

    fn take(&mut self, statement: &'a Json) {
        let sid = statement["Sid"].as_str().unwrap_or("a statement");
        if !statement["NotAction"].is_null() || !statement["NotResource"].is_null() {
            self.unclear.push(format!("says in `{sid}` what is left out, not what is meant"));
            return;
        }
        let reads = list(&statement["Action"]).any(|action| action.as_str().is_none_or(is_about_reading));
        if !reads {
            return;
        }
        let reached = list(&statement["Resource"]).map(|resource| match resource_of(resource) {
            Some(id) => Reach::One(id),
            None => Reach::Pattern(resource),
        });
        match statement["Effect"].as_str() {
            Some("Deny") => self.denied.extend(reached),
            Some("Allow") if statement["Condition"].is_null() => self.allowed.extend(reached),
            _ => self.unclear.push(format!("reads secrets in `{sid}` under a condition")),
        }
    }
}

/// Whether an action of a policy, which may have `*` and `?` in it and is written in any case, is or holds the reading.
fn is_about_reading(action: &str) -> bool {
    matches(action.to_ascii_lowercase().as_bytes(), READ.to_ascii_lowercase().as_bytes())
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if matches(rest, text) => true,
        (Some((b'*', _)), Some((_, text))) => matches(pattern, text),
        (Some((b'?', pattern)), Some((_, text))) => matches(pattern, text),
        (Some((wanted, pattern)), Some((found, text))) if wanted == found => matches(pattern, text),
        _ => false,
    }
}

/// A list, or the one thing that stands for a list of it.
fn list(json: &Json) -> impl Iterator<Item = &Json> {
    let several = json.as_array();
    several.into_iter().flatten().chain(Some(json).filter(|one| !one.is_array() && !one.is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_compared_as_iam_does() {
        for action in [
            READ,
            "*",
            "secretsmanager:*",
            "SecretsManager:getsecretvalue",
            "secretsmanager:Get?ecret*",
            "*:*",
        ] {
            assert!(is_about_reading(action), "{action}");
        }
        for action in [
            "secretsmanager:GetSecret",
            "secretsmanager:PutSecretValue",
            "s3:*",
            "",
            "secretsmanager:Get*Valu",
        ] {
            assert!(!is_about_reading(action), "{action}");
        }
    }
}
