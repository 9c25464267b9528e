//! What a deploy says at its end.

use super::{
    Plan,
    images::{Built, Images},
};
use leo_deploy::{StackOutcome, gate::GateReport};
use leo_release::{PromotedFrom, Release};
use serde_json::{Value as Json, json};

/// What became of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// What was planned runs, and something had to change for it.
    Deployed,
    /// What was planned ran already.
    Unchanged,
    /// The templates were accepted; nothing can run there.
    ControlPlaneOnly,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::ControlPlaneOnly => "control-plane-only",
        }
    }
}

/// A deploy that did what it was asked for.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) status: Status,
    environment: String,
    account: String,
    region: String,
    url: Option<String>,
    stacks: [StackOutcome; 3],
    images: [Built; 2],
    /// The number under which it can be brought back.
    release: Option<u64>,
    /// What the images were promoted from.
    promoted: Option<PromotedFrom>,
    /// Whether the orchestrator was started anew because of its secrets.
    secrets_changed: bool,
    warnings: Vec<String>,
    /// How to get at the demo's jobs; only where they cost money.
    demo_token: Option<String>,
}

/// What was seen once everything was sent.
pub(super) struct Passed {
    /// `None`: nothing runs there that could be asked.
    pub(super) gate: Option<GateReport>,
    pub(super) release: Option<Release>,
    pub(super) secrets_changed: bool,
}

pub(super) fn deployed(
    plan: &Plan<'_>,
    stacks: [StackOutcome; 3],
    images: Images,
    passed: Passed,
) -> Deployed {
    let Passed { gate, release, secrets_changed } = passed;
    let [_, foundation, platform] = &stacks;
    let bucket = foundation.outputs.get(&plan.stacks.keys.bucket);
    let demo_token = bucket.filter(|_| plan.images.are_demo() && plan.target.local.is_none()).map(|bucket| {
        format!("the demo's /jobs asks for a token: aws s3 cp s3://{bucket}/jobs/demo-token - (it is there after the first request)")
    });
    let url = gate.is_some().then(|| url(plan, platform)).flatten();
    let status = match gate {
        None => Status::ControlPlaneOnly,
        Some(_) if stacks.iter().any(|stack| stack.changed) => Status::Deployed,
        Some(_) => Status::Unchanged,
    };
    Deployed {
        status,
        environment: plan.project.config.environment.name.to_string(),
        account: plan.account.to_string(),
        region: plan.project.config.environment.region.to_string(),
        url,
        stacks,
        images: [images.orchestrator, images.generator],
        release: release.map(|release| release.number),
        promoted: plan.images.promotion().map(|promotion| promotion.from.clone()),
        secrets_changed,
        warnings: gate.map(|gate| gate.warnings).unwrap_or_default(),
        demo_token,
    }
}

/// Where users go; on the local target, through the emulator.
fn url(plan: &Plan<'_>, platform: &StackOutcome) -> Option<String> {
    let keys = &plan.stacks.keys;
    match &plan.target.local {
        Some(local) => Some(local.load_balancer_url(platform.outputs.get(&keys.load_balancer_name)?)),
        None => platform.outputs.get(&keys.url).cloned(),
    }
}

impl Deployed {
    /// One word for what became of it.
    pub(crate) fn status(&self) -> &'static str {
        self.status.as_str()
    }

    /// The document that `--json` prints.
    pub(crate) fn json(&self) -> Json {
        let stacks: Vec<Json> = self
            .stacks
            .iter()
            .map(|stack| {
                let changes: Vec<Json> = stack
                    .changes
                    .iter()
                    .map(|change| {
                        json!({
                            "resource": change.logical_id,
                            "type": change.resource_type,
                            "action": change.action,
                        })
                    })
                    .collect();
                json!({
                    "name": stack.name,
                    "status": stack.status.to_string(),
                    "changed": stack.changed,
                    "changes": changes,
                })
            })
            .collect();
        let images: Vec<Json> = match self.status {
            Status::ControlPlaneOnly => vec![],
            Status::Deployed | Status::Unchanged => self.images.iter().map(Built::json).collect(),
        };
        json!({
            "status": self.status.as_str(),
            "environment": self.environment,
            "account": self.account,
            "region": self.region,
            "url": self.url,
            "stacks": stacks,
            "images": images,
            "release": self.release,
            "promoted_from": self.promoted,
            "secrets_changed": self.secrets_changed,
            "warnings": self.warnings,
        })
    }

    /// The lines that a person reads.
    pub(crate) fn text(&self) -> String {
        let what = match self.status {
            Status::Deployed => "deployed",
            Status::Unchanged => "nothing to change, running and healthy",
            Status::ControlPlaneOnly => "templates accepted, no containers (there is no Docker engine)",
        };
        let mut lines = vec![format!("{}: {what}", self.environment)];
        if self.status != Status::ControlPlaneOnly {
            lines.extend(
                self.images.iter().map(|image| format!("  {:<12} {}", image.name, image.reference.digest)),
            );
        }
        lines.extend(
            self.promoted
                .as_ref()
                .map(|from| format!("  {:<12} {}'s release {}", "promoted", from.environment, from.release)),
        );
        if self.secrets_changed {
            lines.push(format!("  {:<12} changed: the orchestrator has the new ones", "secrets"));
        }
        lines.extend(self.release.map(|number| format!("  {:<12} {number}", "release")));
        lines.extend(self.demo_token.clone());
        lines.extend(self.url.clone());
        lines.join("\n")
    }
}
