//! What was changed behind CloudFormation's back.

use std::fmt;
use std::time::Duration;

use aws_sdk_cloudformation::types as sdk;
use leo_aws::ServiceError;
use serde::Serialize;
use tokio::time::Instant;

use super::members::{Member, call};
use super::{Stack, Stacks};
use crate::error::DeployError;
use crate::event::{OnEvent, StackEvent};
use crate::pace::{Pace, Patience};

const DETECT: &str = "detect the drift of";
/// How long a detection may take; it "can take up to several minutes" ("DetectStackDrift", API reference).
const DETECTED_WITHIN: Duration = Duration::from_mins(15);
/// For how long AWS may give no answer meanwhile.
const LOST_AFTER: Duration = Duration::from_mins(2);

/// How a stack differs from its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The stack's name.
    pub stack: String,
    /// The resources that are not what the template says. CloudFormation compares only the properties that the
    /// template sets.
    pub drifted: Vec<DriftedResource>,
    /// How many resources are what the template says.
    pub in_sync: usize,
    /// The resources of which nothing is known: of a type that CloudFormation can't check, skipped by a rollback,
    /// or not readable.
    pub unchecked: Vec<Unchecked>,
    /// Why the detection as a whole failed, where it did; what it found nevertheless is in the other fields.
    pub failure: Option<String>,
}

impl Drift {
    /// Whether something differs for certain.
    pub fn is_drifted(&self) -> bool {
        !self.drifted.is_empty()
    }
}

/// A resource that is not what the template says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftedResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its CloudFormation type.
    pub resource_type: String,
    /// Its name or ARN.
    pub physical_id: Option<String>,
    /// What became of it.
    pub kind: DriftKind,
    /// The properties that differ; none where it is gone.
    pub differences: Vec<Difference>,
}

/// What became of a drifted resource, or of one property of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// It was changed.
    Modified,
    /// It was deleted; of a property: it is not set any more.
    Deleted,
    /// An element that the template does not have was added to a list.
    Added,
    /// A word that this version does not know.
    Other(String),
}

/// One property that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a JSON pointer into the resource's properties.
    pub path: String,
    /// What became of it.
    pub kind: DriftKind,
    /// What the template says; `None` where it says nothing.
    pub expected: Option<Observed>,
    /// What is there; `None` where nothing is.
    pub actual: Option<Observed>,
}

/// A property's value as it was found. Whoever changed it by hand may have put a secret there, so it is neither
/// printed nor serialized by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Observed(String);

/// A resource that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// Its name in the template.
    pub logical_id: String,
    /// Its CloudFormation type.
    pub resource_type: String,
    /// Why, where CloudFormation says so; most often it can't check that type.
    pub reason: Option<String>,
}

impl Observed {
    /// A value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for whoever decides whether it may be seen.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// CloudFormation writes `null` for what is not there.
    fn of(value: Option<&str>) -> Option<Self> {
        value.filter(|value| !value.is_empty() && *value != "null").map(Self::new)
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "‹{} characters›", self.0.chars().count())
    }
}

impl Stacks {
    /// How the stack differs from its template; `None` where there is no such stack. An operation that runs is
    /// followed first. Stacks that are nested in it are not looked into.
    pub async fn detect_drift(
        &self,
        name: &str,
        on_event: &OnEvent<'_>,
    ) -> Result<Option<Drift>, DeployError> {
        let stack = loop {
            let Some(stack) = self.standing(DETECT, name).await? else { return Ok(None) };
            if !stack.status.in_progress() {
                break stack;
            }
            self.attach(&stack, on_event).await?;
        };
        on_event(StackEvent::Begins { what: "comparing the resources with the template".to_owned() });
        let deadline = Instant::now() + DETECTED_WITHIN;
        let detection = self.begin_detection(&stack, deadline, on_event).await?;
        let failure = self.detected(&stack, &detection, deadline, on_event).await?;
        let refused = |source| call(DETECT, &stack.name, source);
        let drifts = self.resource_drifts(&stack.id).await.map_err(refused)?;
        let members = self.members(&stack.id).await.map_err(refused)?;
        let drift = sorted(&stack, &drifts, &members, failure);
        let unknown = drift.drifted.is_empty() && drift.in_sync == 0;
        match &drift.failure {
            Some(reason) if unknown => {
                Err(DeployError::DriftUnknown { stack: stack.name, reason: reason.clone() })
            }
            _ => Ok(Some(drift)),
        }
    }

    /// Begins a detection. While someone else's runs, CloudFormation refuses a second one; its result would be as
    /// good, but its id is theirs.
    async fn begin_detection(
        &self,
        stack: &Stack,
        deadline: Instant,
        on_event: &OnEvent<'_>,
    ) -> Result<String, DeployError> {
        let mut pace = Pace::of_operation();
        loop {
            let error = match self.client.detect_stack_drift().stack_name(&stack.id).send().await {
                Ok(answer) => return Ok(answer.stack_drift_detection_id().unwrap_or_default().to_owned()),
                Err(error) => ServiceError::of("DetectStackDrift", &error),
            };
            let busy = error.message.to_ascii_lowercase().contains("in progress");
            if !busy || Instant::now() > deadline {
                return Err(call(DETECT, &stack.name, error));
            }
            on_event(StackEvent::PollDelayed { reason: error.message });
            pace.wait().await;
        }
    }

    /// Waits for the end of a detection; comes back with what failed in it.
    async fn detected(
        &self,
        stack: &Stack,
        detection: &str,
        deadline: Instant,
        on_event: &OnEvent<'_>,
    ) -> Result<Option<String>, DeployError> {
        let mut pace = Pace::of_operation();
        let mut patience = Patience::new(LOST_AFTER);
        loop {
            let request =
                self.client.describe_stack_drift_detection_status().stack_drift_detection_id(detection);
            match request.send().await {
                Ok(answer) => {
                    patience.restore();
                    let reason = answer.detection_status_reason().filter(|reason| !reason.is_empty());
                    match answer.detection_status() {
                        Some(sdk::StackDriftDetectionStatus::DetectionComplete) => return Ok(None),
                        Some(sdk::StackDriftDetectionStatus::DetectionFailed) => {
                            return Ok(Some(reason.unwrap_or("no reason given").to_owned()));
                        }
                        // In progress, or a word that may yet be invented.
                        _ => {}
                    }
                }
                Err(error) => {
                    let error = ServiceError::of("DescribeStackDriftDetectionStatus", &error);
                    if !error.is_retryable() || !patience.bears() {
                        return Err(call(DETECT, &stack.name, error));
                    }
                    pace.slow_down();
                    on_event(StackEvent::PollDelayed { reason: error.to_string() });
                }
            }
            if Instant::now() > deadline {
                let reason = format!("it did not end within {} minutes", DETECTED_WITHIN.as_secs() / 60);
                return Err(DeployError::DriftUnknown { stack: stack.name.clone(), reason });
            }
            pace.wait().await;
        }
    }

    async fn resource_drifts(&self, stack_id: &str) -> Result<Vec<sdk::StackResourceDrift>, ServiceError> {
        let mut drifts = Vec::new();
        let mut token = None;
        loop {
            let request = self
                .client
                .describe_stack_resource_drifts()
                .stack_name(stack_id)
                .set_next_token(token.take());
            let mut page = request
                .send()
                .await
                .map_err(|error| ServiceError::of("DescribeStackResourceDrifts", &error))?;
            drifts.append(page.stack_resource_drifts.get_or_insert_default());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(drifts);
            }
        }
    }
}

/// What was found, by what it means. Resources whose type can't be checked are not among the results
/// ("StackResourceDrift", API reference): the stack's own list tells which those are.
fn sorted(
    stack: &Stack,
    drifts: &[sdk::StackResourceDrift],
    members: &[Member],
    failure: Option<String>,
) -> Drift {
    use sdk::StackResourceDriftStatus as Status;
    let mut drift =
        Drift { stack: stack.name.clone(), drifted: Vec::new(), in_sync: 0, unchecked: Vec::new(), failure };
    for found in drifts {
        match found.stack_resource_drift_status() {
            Some(Status::InSync) => drift.in_sync += 1,
            Some(Status::Modified) => drift.drifted.push(drifted(found, DriftKind::Modified)),
            Some(Status::Deleted) => drift.drifted.push(drifted(found, DriftKind::Deleted)),
            // Not checked, not supported, could not be read, or a word that may yet be invented.
            _ => drift.unchecked.push(Unchecked {
                logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
                resource_type: found.resource_type().unwrap_or_default().to_owned(),
                reason: found.drift_status_reason().map(str::to_owned),
            }),
        }
    }
    let told = |member: &&Member| {
        drifts.iter().any(|found| found.logical_resource_id() == Some(&*member.logical_id))
    };
    drift.unchecked.extend(members.iter().filter(|member| !told(member)).map(|member| Unchecked {
        logical_id: member.logical_id.clone(),
        resource_type: member.resource_type.clone(),
        reason: None,
    }));
    drift.drifted.sort_by(|one, other| one.logical_id.cmp(&other.logical_id));
    drift.unchecked.sort_by(|one, other| one.logical_id.cmp(&other.logical_id));
    drift
}

fn drifted(found: &sdk::StackResourceDrift, kind: DriftKind) -> DriftedResource {
    DriftedResource {
        logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: found.resource_type().unwrap_or_default().to_owned(),
        physical_id: found.physical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
        kind,
        differences: found.property_differences().iter().map(difference).collect(),
    }
}

fn difference(found: &sdk::PropertyDifference) -> Difference {
    Difference {
        path: found.property_path().unwrap_or_default().to_owned(),
        kind: match found.difference_type() {
            Some(sdk::DifferenceType::Add) => DriftKind::Added,
            Some(sdk::DifferenceType::Remove) => DriftKind::Deleted,
            Some(sdk::DifferenceType::NotEqual) => DriftKind::Modified,
            other => DriftKind::Other(other.map(|word| word.as_str().to_owned()).unwrap_or_default()),
        },
        expected: Observed::of(found.expected_value()),
        actual: Observed::of(found.actual_value()),
    }
}
