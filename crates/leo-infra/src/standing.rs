//! An environment's stacks as they stand, to tell which release that is.

use crate::{
    deploy::{
        Before,
        release::{FOUNDATION, PLATFORM},
    },
    failure::Problem,
    target::Target,
};
use aws_sdk_cloudformation::types::TemplateStage;
use leo_aws::ServiceError;
use leo_deploy::Stack;
use leo_release::{Release, ReleasedStack, template_sha256};
use std::collections::BTreeMap;

/// The foundation and the platform as they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(BTreeMap<&'static str, StandingStack>);

#[derive(Clone, Debug)]
struct StandingStack {
    name: String,
    template_sha256: String,
    parameters: BTreeMap<String, String>,
}

impl Standing {
    /// Reads the templates of the stacks that there are.
    pub(crate) async fn read(target: &Target, before: &Before) -> Result<Self, Problem> {
        let read = async |stack: Option<&Stack>| match stack {
            Some(stack) => read(target, stack).await.map(Some),
            None => Ok(None),
        };
        let (foundation, platform) =
            tokio::try_join!(read(before.foundation.as_ref()), read(before.platform.as_ref()))?;
        let stacks = [(FOUNDATION, foundation), (PLATFORM, platform)];
        Ok(Self(stacks.into_iter().filter_map(|(role, stack)| Some((role, stack?))).collect()))
    }

    /// The newest of the releases that is what stands; `None` where something else was deployed or changed since.
    pub(crate) fn release<'a>(&self, releases: &'a [Release]) -> Option<&'a Release> {
        releases.iter().filter(|release| self.is(release)).max_by_key(|release| release.number)
    }

    /// Whether a stack has the template that a release gives it; `None` where it is not there.
    pub(crate) fn has_template(&self, released: &ReleasedStack) -> Option<bool> {
        let standing = self.0.get(released.role.as_str())?;
        Some(standing.template_sha256 == released.template_sha256)
    }

    /// The parameters of a released stack that have another value now, with both: name, what it is, what it would be.
    pub(crate) fn parameters_that_differ<'a>(
        &'a self,
        released: &'a ReleasedStack,
        ignored: &[&str],
    ) -> Vec<(&'a str, Option<&'a str>, &'a str)> {
        let standing = self.0.get(released.role.as_str());
        released
            .parameters
            .iter()
            .filter(|(name, _)| !ignored.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                let now = standing.and_then(|standing| standing.parameters.get(name)).map(String::as_str);
                (now != Some(value)).then_some((name.as_str(), now, value.as_str()))
            })
            .collect()
    }

    /// Whether these stacks are a release's.
    fn is(&self, release: &Release) -> bool {
        release.stacks.len() == self.0.len()
            && release
                .stacks
                .iter()
                .all(|stack| self.0.get(stack.role.as_str()).is_some_and(|standing| standing.is(stack)))
    }
}

impl StandingStack {
    /// A stack has parameters beyond those that were given: the defaults.
    fn is(&self, released: &ReleasedStack) -> bool {
        self.name == released.name
            && self.template_sha256 == released.template_sha256
            && released.parameters.iter().all(|(name, value)| self.parameters.get(name) == Some(value))
    }
}

async fn read(target: &Target, stack: &Stack) -> Result<StandingStack, Problem> {
    // The original is the text as it was sent ("GetTemplate", TemplateStage).
    let call =
        target.cloudformation.get_template().stack_name(&stack.id).template_stage(TemplateStage::Original);
    let answer = call.send().await.map_err(|error| ServiceError::of("GetTemplate", &error))?;
    Ok(StandingStack {
        name: stack.name.clone(),
        template_sha256: template_sha256(answer.template_body().unwrap_or_default()),
        parameters: stack.parameters.clone(),
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use leo_release::ReleasedImage;

    /// A release whose platform has this template and these parameters.
    pub(crate) fn release(number: u64, template: &str, parameters: &[(&str, &str)]) -> Release {
        let stack = |role: &str, template: &str, parameters: &[(&str, &str)]| ReleasedStack {
            role: role.to_owned(),
            name: format!("leo-dev-{role}"),
            template_sha256: template_sha256(template),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let image = |container: &str, digit: char| ReleasedImage {
            container: container.to_owned(),
            repository: format!("r/{container}"),
            digest: format!("sha256:{}", digit.to_string().repeat(64)),
            acceptable: vec![],
        };
        Release {
            number,
            environment: "dev".to_owned(),
            at: format!("2026-11-22T14:{number:02}:00Z"),
            by: "ada".to_owned(),
            host: "laptop".to_owned(),
            commit: Some("0123456789abcdef".to_owned()),
            operation: format!("operation-{number}"),
            stacks: vec![stack(FOUNDATION, "{}", &[]), stack(PLATFORM, template, parameters)],
            images: vec![image("orchestrator", 'a'), image("generator", 'b')],
            health_path: "/health".to_owned(),
            websocket_path: None,
            rollback_of: None,
        }
    }

    /// The stacks of a release as they stand.
    pub(crate) fn standing(release: &Release) -> Standing {
        let stack = |role: &'static str| {
            let stack = release.stack(role)?.clone();
            let mut parameters = stack.parameters;
            parameters.insert("Unasked".to_owned(), "a default".to_owned());
            let (name, template_sha256) = (stack.name, stack.template_sha256);
            Some((role, StandingStack { name, template_sha256, parameters }))
        };
        Standing([stack(FOUNDATION), stack(PLATFORM)].into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        testing::{release, standing},
        *,
    };

    #[test]
    fn what_stands_is_the_newest_release_that_is_the_same() {
        let releases = [
            release(3, "x", &[("Image", "2")]),
            release(2, "y", &[("Image", "2")]),
            release(1, "x", &[("Image", "2")]),
        ];
        let number = |standing: &Standing| standing.release(&releases).map(|release| release.number);
        let standing =
            |template: &str, parameters: &[(&str, &str)]| standing(&release(9, template, parameters));
        assert_eq!(number(&standing("x", &[("Image", "2")])), Some(3));
        assert_eq!(number(&standing("y", &[("Image", "2")])), Some(2));
        assert_eq!(number(&standing("x", &[("Image", "3")])), None, "another image");
        assert_eq!(number(&standing("z", &[("Image", "2")])), None, "another template");
        assert_eq!(number(&Standing::default()), None, "nothing stands");
    }
}
