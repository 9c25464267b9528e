//! The arguments of `buildctl`, which speaks to a BuildKit daemon with no Docker in between.

use std::ffi::OsString;
use std::path::Path;

use crate::BuildPlan;
use crate::plan::EPOCH;

/// The arguments of `buildctl` that build this image, without where the result goes. None of them is secret.
pub(crate) fn arguments(plan: &BuildPlan) -> Vec<OsString> {
    let source = &plan.source;
    let dockerfile = plan.dockerfile();
    let folder = dockerfile.parent().unwrap_or(Path::new("."));
    let name = dockerfile.file_name().unwrap_or_default().to_string_lossy().into_owned();

    let mut arguments: Vec<OsString> =
        ["build", "--progress=rawjson", "--frontend=dockerfile.v0"].map(Into::into).to_vec();
    let local = |name: &str, folder: &Path| {
        let mut argument = OsString::from(format!("--local={name}="));
        argument.push(folder);
        argument
    };
    arguments.push(local("context", &source.context));
    // The folder with the Dockerfile is where BuildKit looks for `<Dockerfile>.dockerignore`.
    arguments.push(local("dockerfile", folder));
    let mut option = |option: String| arguments.push(format!("--opt={option}").into());
    option(format!("filename={name}"));
    option(format!("platform={}", plan.architecture.platform()));
    option(format!("build-arg:SOURCE_DATE_EPOCH={EPOCH}"));
    for (name, value) in &source.build_args {
        option(format!("build-arg:{name}={value}"));
    }
    for name in source.named_contexts.keys() {
        option(format!("context:{name}=local:{name}"));
    }
    if let Some(target) = &source.target {
        option(format!("target={target}"));
    }
    // Without these buildctl makes no attestations.
    if plan.attestations {
        option("attest:provenance=mode=min".to_owned());
        option("attest:sbom=".to_owned());
    }
    for (name, folder) in &source.named_contexts {
        arguments.push(local(name, folder));
    }
    arguments.extend(plan.cache_imports().map(|import| format!("--import-cache={import}").into()));
    arguments.extend(plan.cache_export().map(|export| format!("--export-cache={export}").into()));
    arguments
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use leo_config::Architecture;

    use super::*;
    use crate::{CacheUse, GitHead, ImageName, PlanInput, Repository, Source, plan};

    #[test]
    fn everything_that_can_be_said_to_buildctl() {
        let plan = plan(PlanInput {
            image: ImageName::Generator,
            source: Source {
                context: "/src/leo-container".into(),
                dockerfile: "docker/release.Dockerfile".into(),
                target: Some("release".into()),
                build_args: BTreeMap::from([("VERSION".into(), "1 2".into())]),
                named_contexts: BTreeMap::from([("binary".into(), "/out".into())]),
            },
            architecture: Architecture::Arm64,
            repository: Repository { name: "leo".into(), uri: "registry.example/leo".into() },
            git: Some(GitHead { commit: "c0ffee".repeat(6), branch: Some("x".into()) }),
            attestations: true,
            cache: CacheUse::Registry,
            budget_mb: 1000,
            allowed: Vec::new(),
            max_age_days: 7,
        });
        let said: Vec<_> = arguments(&plan).iter().map(|text| text.to_string_lossy().into_owned()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
