//! What a change set would do, and what of it destroys something.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_cloudformation::types as sdk;
use serde::Serialize;

/// One resource that a change set touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The resource's name in the template.
    pub logical_id: String,
    /// Its CloudFormation type, for example `AWS::S3::Bucket`.
    pub resource_type: String,
    /// The name or ARN of what exists now; `None` for a new resource.
    pub physical_id: Option<String>,
    /// What happens to it.
    pub action: ChangeAction,
    /// Whether a modification makes a new resource in the old one's place.
    pub replacement: Replacement,
    /// Which parts change: `Properties`, `Metadata`, `Tags`, `DeletionPolicy` and so on.
    pub scope: Vec<String>,
    /// The names of the properties that change.
    pub properties: Vec<String>,
    /// What becomes of the old resource, in CloudFormation's words (`Delete`, `Retain`, `ReplaceAndRetain` and so on).
    pub policy: Option<String>,
}

/// What happens to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeAction {
    /// It is created.
    Add,
    /// It changes, perhaps by replacement.
    Modify,
    /// It leaves the stack.
    Remove,
    /// An existing resource joins the stack.
    Import,
    /// CloudFormation can't tell before it runs.
    Dynamic,
    /// A word that this version does not know.
    Other(String),
}

/// Whether a modification makes a new resource in the old one's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// It is changed in place.
    No,
    /// That depends on values which are known only while it runs.
    Maybe,
    /// A new one is made, the old one goes.
    Yes,
}

/// The changes that would replace or remove a resource which exists, also those of which CloudFormation can't
/// exclude it. Empty means that every existing resource stays the one it is.
pub fn replacements_and_removals(changes: &[Change]) -> Vec<&Change> {
    changes.iter().filter(|change| change.destroys()).collect()
}

impl Change {
    fn destroys(&self) -> bool {
        match self.action {
            ChangeAction::Add | ChangeAction::Import => false,
            ChangeAction::Remove => true,
            ChangeAction::Modify | ChangeAction::Dynamic | ChangeAction::Other(_) => {
                self.replacement > Replacement::No
            }
        }
    }

    pub(crate) fn of(change: &sdk::Change) -> Option<Self> {
        let resource = change.resource_change()?;
        let properties = resource
            .details()
            .iter()
            .filter_map(|detail| detail.target()?.name())
            .map(str::to_owned)
            .collect::<BTreeSet<_>>();
        Some(Self {
            logical_id: resource.logical_resource_id().unwrap_or_default().to_owned(),
            resource_type: resource.resource_type().unwrap_or_default().to_owned(),
            physical_id: resource.physical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
            action: match resource.action() {
                Some(sdk::ChangeAction::Add) => ChangeAction::Add,
                Some(sdk::ChangeAction::Modify) => ChangeAction::Modify,
                Some(sdk::ChangeAction::Remove) => ChangeAction::Remove,
                Some(sdk::ChangeAction::Import) => ChangeAction::Import,
                Some(sdk::ChangeAction::Dynamic) => ChangeAction::Dynamic,
                other => ChangeAction::Other(other.map(|a| a.as_str().to_owned()).unwrap_or_default()),
            },
            replacement: match resource.replacement() {
                Some(sdk::Replacement::True) => Replacement::Yes,
                Some(sdk::Replacement::False) | None => Replacement::No,
                // `Conditional`, and any word that may yet be invented.
                Some(_) => Replacement::Maybe,
            },
            scope: resource.scope().iter().map(|attribute| attribute.as_str().to_owned()).collect(),
            properties: properties.into_iter().collect(),
            policy: resource.policy_action().map(|policy| policy.as_str().to_owned()),
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match (&self.action, self.replacement) {
            (ChangeAction::Add, _) => "add",
            (ChangeAction::Remove, _) => "remove",
            (ChangeAction::Import, _) => "import",
            (ChangeAction::Other(word), _) => word,
            (_, Replacement::Yes) => "replace",
            (_, Replacement::Maybe) => "modify or replace",
            (_, Replacement::No) => "modify",
        };
        write!(f, "{verb} {} ({})", self.logical_id, self.resource_type)?;
        if !self.properties.is_empty() {
            write!(f, ": {}", self.properties.join(", "))?;
        }
        Ok(())
    }
}

/// Something that CloudFormation's own validation says about a change set before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it stops the operation; otherwise it is a warning.
    pub fatal: bool,
    /// The validation's name, where it has one.
    pub name: Option<String>,
    /// The resource's name in the template.
    pub logical_id: Option<String>,
    /// Where in the template.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: String,
}

impl Finding {
    pub(crate) fn of(event: &sdk::OperationEvent) -> Option<Self> {
        let reason = match event.event_type()? {
            sdk::EventType::ValidationError => event.validation_status_reason(),
            sdk::EventType::HookInvocationError => event.hook_status_reason(),
            sdk::EventType::ProvisioningError => event.resource_status_reason(),
            _ => return None,
        };
        let mode = event.validation_failure_mode().or_else(|| event.hook_failure_mode());
        Some(Self {
            fatal: mode != Some(&sdk::HookFailureMode::Warn),
            name: event.validation_name().or_else(|| event.hook_type()).map(str::to_owned),
            logical_id: event.logical_resource_id().map(str::to_owned),
            path: event.validation_path().map(str::to_owned),
            reason: reason.or_else(|| event.resource_status_reason()).unwrap_or("no reason given").to_owned(),
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fatal { "refused" } else { "warning" })?;
        // Without a resource, the validation's or hook's own name is all there is to hold on to.
        let place = self.logical_id.as_ref().or(self.name.as_ref());
        for part in [place, self.path.as_ref()].into_iter().flatten() {
            write!(f, " {part}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, action: ChangeAction, replacement: Replacement) -> Change {
        Change {
            logical_id: id.to_owned(),
            resource_type: "AWS::EC2::VPC".to_owned(),
            physical_id: Some("vpc-1".to_owned()),
            action,
            replacement,
            scope: vec!["Properties".to_owned()],
            properties: vec!["CidrBlock".to_owned()],
            policy: None,
        }
    }

    #[test]
    fn only_what_destroys_is_listed() {
        let changes = [
            change("Added", ChangeAction::Add, Replacement::No),
            change("InPlace", ChangeAction::Modify, Replacement::No),
            change("Replaced", ChangeAction::Modify, Replacement::Yes),
            change("PerhapsReplaced", ChangeAction::Modify, Replacement::Maybe),
            change("Removed", ChangeAction::Remove, Replacement::No),
            change("Imported", ChangeAction::Import, Replacement::No),
            change("Late", ChangeAction::Dynamic, Replacement::Maybe),
        ];
        let listed = replacements_and_removals(&changes);
        let ids = listed.iter().map(|change| change.logical_id.as_str()).collect::<Vec<_>>();
        assert_eq!(ids, ["Replaced", "PerhapsReplaced", "Removed", "Late"]);
    }

    #[test]
    fn a_change_reads_as_a_sentence() {
        let lines = [
            change("Vpc", ChangeAction::Modify, Replacement::Yes).to_string(),
            change("Vpc", ChangeAction::Modify, Replacement::Maybe).to_string(),
            change("Vpc", ChangeAction::Other("Sublimate".to_owned()), Replacement::No).to_string(),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        replace Vpc (AWS::EC2::VPC): CidrBlock
        modify or replace Vpc (AWS::EC2::VPC): CidrBlock
        Sublimate Vpc (AWS::EC2::VPC): CidrBlock
        ");
    }
}
