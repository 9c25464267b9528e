//! The registry: the two image repositories and the artifacts bucket.

use crate::bucket::{self, Keeping};
use leo_cfn::{
    Attributes, Fragment, Handle, LogicalId, logical_id,
    types::{
        ecr::{ImageScanningConfiguration, LifecyclePolicy, MutabilityFilter, Repository},
        s3::Bucket,
    },
};
use leo_config::{Config, names};
use serde_json::json;

/// Days after which an upload to the artifacts bucket that never ended is dropped. No setting: environments share
/// the bucket, so nothing about it can be one environment's choice.
const INCOMPLETE_UPLOAD_DAYS: u32 = 1;

/// What the registry offers.
#[derive(Debug)]
pub struct Exports {
    /// The orchestrator's images.
    pub orchestrator: Handle<Repository>,
    /// The generators' images.
    pub generator: Handle<Repository>,
    /// Templates and records of releases: every version kept, nothing expires.
    pub artifacts: Handle<Bucket>,
}

/// The registry.
#[must_use]
pub fn registry(config: &Config) -> (Fragment, Exports) {
    let mut fragment = Fragment::new("storage::registry", "registry");
    let days = config.registry.expire_after_days;
    let mut repository = |id: LogicalId, component: &'static str, name: &str| {
        fragment.add_with(id, Attributes::data().component(component), repository(name, days))
    };
    let orchestrator =
        repository(logical_id!("OrchestratorRepository"), "orchestrator", names::ORCHESTRATOR_REPOSITORY);
    let generator = repository(logical_id!("GeneratorRepository"), "generator", names::GENERATOR_REPOSITORY);
    let artifacts = bucket::add(
        &mut fragment,
        logical_id!("ArtifactsBucket"),
        names::ARTIFACTS_BUCKET_PREFIX,
        &Keeping::EveryVersion,
        INCOMPLETE_UPLOAD_DAYS,
    );
    (fragment, Exports { orchestrator, generator, artifacts })
}

fn repository(name: &str, days: u32) -> Repository {
    Repository {
        repository_name: name.to_owned(),
        image_scanning_configuration: ImageScanningConfiguration { scan_on_push: true },
        image_tag_mutability: "IMMUTABLE_WITH_EXCLUSION",
        image_tag_mutability_exclusion_filters: vec![MutabilityFilter {
            image_tag_mutability_exclusion_filter_type: "WILDCARD",
            image_tag_mutability_exclusion_filter_value: "cache-*",
        }],
        lifecycle_policy: LifecyclePolicy { lifecycle_policy_text: expiry(days) },
    }
}

/// Only untagged and cache images expire. Every digest has a tag of another form before it is deployed, so no rule
/// here can take away what runs.
fn expiry(days: u32) -> String {
    let since = json!({"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days});
    let rule = |priority: u32, description: &str, selection: serde_json::Value| {
        let mut selection = selection;
        if let (Some(into), Some(since)) = (selection.as_object_mut(), since.as_object()) {
            into.extend(since.clone());
        }
        json!({
            "rulePriority": priority,
            "description": description,
            "selection": selection,
            "action": {"type": "expire"},
        })
    };
    let rules = [
        rule(1, "build caches", json!({"tagStatus": "tagged", "tagPatternList": ["cache-*"]})),
        rule(2, "images without a tag", json!({"tagStatus": "untagged"})),
    ];
    json!({ "rules": rules }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_untagged_and_cache_images_expire() {
        let policy: serde_json::Value = serde_json::from_str(&expiry(14)).expect("is JSON");
        let rules = policy["rules"].as_array().expect("has rules");
        let selected: Vec<_> = rules
            .iter()
            .map(|rule| {
                assert_eq!(rule["selection"]["countNumber"], 14);
                (rule["selection"]["tagStatus"].as_str(), rule["selection"]["tagPatternList"][0].as_str())
            })
            .collect();
        assert_eq!(selected, [(Some("tagged"), Some("cache-*")), (Some("untagged"), None)]);
    }
}
