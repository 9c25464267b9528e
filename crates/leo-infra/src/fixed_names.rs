//! The resources of a template that hold data under a name which is fixed: what a create would collide with.

use leo_data::{Kind, Named};
use serde_json::Value as Json;

/// The data resources of a template, with their names in this account and region.
pub(crate) fn named(template: &Json, account: &str, region: &str) -> Vec<Named> {
    let resources = template.get("Resources").and_then(Json::as_object).into_iter().flatten();
    resources
        .filter_map(|(logical_id, resource)| {
            let kind = Kind::of(resource.get("Type")?.as_str()?)?;
            let property = match kind {
                Kind::Bucket => "BucketName",
                Kind::Repository => "RepositoryName",
                Kind::Secret => "Name",
            };
            let name = text(resource.get("Properties")?.get(property)?, account, region)?;
            Some(Named { logical_id: logical_id.clone(), kind, name })
        })
        .collect()
}

/// A string of a template, where it depends on nothing but the account and the region.
fn text(value: &Json, account: &str, region: &str) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    match value.get("Ref").and_then(Json::as_str) {
        Some("AWS::AccountId") => return Some(account.to_owned()),
        Some("AWS::Region") => return Some(region.to_owned()),
        Some(_) => return None,
        None => {}
    }
    let [separator, parts] = value.get("Fn::Join")?.as_array()?.as_slice() else { return None };
    let parts: Option<Vec<String>> =
        parts.as_array()?.iter().map(|part| text(part, account, region)).collect();
    Some(parts?.join(separator.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_config::testing::load;

    #[test]
    fn every_data_resource_of_every_stack_has_a_name() {
        let config = load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        let of = |stack: &leo_stack::StackTemplate| {
            let resources = stack.template.json()["Resources"].as_object().expect("has resources");
            let holding = resources
                .values()
                .filter(|resource| Kind::of(resource["Type"].as_str().unwrap_or_default()).is_some());
            let named = named(stack.template.json(), "123456789012", "eu-central-1");
            assert_eq!(named.len(), holding.count(), "{}", stack.name);
            named.into_iter().map(|named| format!("{} {}", named.kind, named.name)).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&stacks.registry),
            ["bucket leo-artifacts-123456789012-eu-central-1", "repository leo", "repository leo-saas-app"]
        );
        assert_eq!(
            of(&stacks.foundation),
            [
                "bucket leo-dev-apps-123456789012-eu-central-1",
                "secret leo/dev/claude",
                "secret leo/dev/flyio",
                "secret leo/dev/github",
                "secret leo/dev/supabase"
            ]
        );
        assert_eq!(of(&stacks.platform), [] as [String; 0]);
    }
}
