//! Resources that CloudFormation could not make.

use super::words::{Reported, after, denial, environment, finding_line, first_word, region_of_arn, reports};
use super::{CauseKind, Diagnosis};
use crate::evidence::{Evidence, ResourceWaiting};
use crate::time::seconds;

const CERTIFICATE: &str = "AWS::CertificateManager::Certificate";
/// For how long a certificate that is validated by DNS may wait before that is worth a word: it takes a few minutes
/// ("DNS validation", AWS Certificate Manager User Guide).
const PATIENCE_SECONDS: f64 = 300.0;

fn find(evidence: &Evidence, fits: impl Fn(&str) -> bool) -> Option<Reported<'_>> {
    reports(evidence).find(|report| fits(&report.reason.to_lowercase()))
}

/// "You can't create this secret because a secret with this name is already scheduled for deletion." ("Delete an AWS
/// Secrets Manager secret", AWS Secrets Manager User Guide).
pub(super) fn secret_scheduled_for_deletion(evidence: &Evidence) -> Option<Diagnosis> {
    let report = find(evidence, |text| text.contains("scheduled for deletion"))?;
    let environment = environment(evidence);
    Some(Diagnosis {
        cause: CauseKind::SecretScheduledForDeletion,
        text: "a secret of this environment waits for its deletion, and until then its name is taken"
            .to_owned(),
        evidence: report.line,
        log: Vec::new(),
        fix: format!(
            "bring it back with `aws secretsmanager restore-secret --region {} --secret-id leo/{environment}/<provider>`, \
             then `cargo xtask deploy --recover`, which takes it into the stack",
            evidence.subject.region
        ),
    })
}

/// "Certificate ARN '…' is not valid" and `CertificateNotFound` ("CreateListener", Elastic Load Balancing API Reference).
pub(super) fn certificate_not_found(evidence: &Evidence) -> Option<Diagnosis> {
    let report = find(evidence, |text| {
        text.contains("certificatenotfound")
            || text.contains("unsupportedcertificate")
            || (text.contains("certificate")
                && ["is not valid", "not found", "does not exist", "could not be found"]
                    .iter()
                    .any(|mark| text.contains(mark)))
    })?;
    let own = &evidence.subject.region;
    let text = match region_of_arn(report.reason, "acm") {
        Some(other) if other != own => {
            format!("the certificate is in {other}, and the load balancer in {own} can't use it")
        }
        _ => format!(
            "the load balancer in {own} can't use the certificate: there is none of that ARN, or it is not issued"
        ),
    };
    Some(Diagnosis {
        cause: CauseKind::CertificateNotFound,
        text,
        evidence: report.line,
        log: Vec::new(),
        fix: format!(
            "set `certificate_arn` of [environments.{}] in infra/leo.toml to an issued certificate in {own}, or set \
             `hosted_zone_id` in its place and one is made",
            environment(evidence)
        ),
    })
}

/// `AlreadyExists` ("Resource type handler error codes", CloudFormation CLI User Guide), and the name conflicts of
/// CloudFormation's validation before a deployment.
pub(super) fn name_exists(evidence: &Evidence) -> Option<Diagnosis> {
    let report = find(evidence, |text| {
        text.contains("already exists")
            || text.contains("alreadyexists")
            || text.contains("already owned by you")
    })?;
    let owner = after(report.reason, "already exists in stack ").and_then(first_word);
    let fix = match &owner {
        Some(stack) => format!("remove it from {stack}, or change what gives it this name, then `cargo xtask deploy`"),
        None => "if an earlier deploy or destroy left it, `cargo xtask deploy --recover` takes it into the stack; if it is \
                 someone else's, one of the two needs another name"
            .to_owned(),
    };
    Some(Diagnosis {
        cause: CauseKind::NameExists,
        text: match owner {
            Some(_) => "something of that name belongs to another stack".to_owned(),
            None => "something of that name is there already, outside of the stack".to_owned(),
        },
        evidence: report.line,
        log: Vec::new(),
        fix,
    })
}

/// "Troubleshoot access denied error messages" (IAM User Guide).
pub(super) fn access_denied(evidence: &Evidence) -> Option<Diagnosis> {
    let report = find(evidence, |text| {
        ["is not authorized to perform", "accessdenied", "access denied", "unauthorizedoperation"]
            .iter()
            .any(|mark| text.contains(mark))
    })?;
    let denial = denial(report.reason);
    let who = denial.who.as_deref().unwrap_or("whoever deploys");
    let action = denial.action.as_deref().unwrap_or("an action that is needed");
    let on = denial.resource.map(|resource| format!(" on {resource}")).unwrap_or_default();
    Some(Diagnosis {
        cause: CauseKind::AccessDenied,
        text: format!("{who} may not do {action}"),
        evidence: report.line,
        log: Vec::new(),
        fix: if denial.boundary {
            format!("let the permissions boundary of {who} allow {action}{on}, then `cargo xtask deploy`")
        } else {
            format!(
                "allow {action}{on} to {who}, or deploy with other credentials (`profile` in infra/leo.toml)"
            )
        },
    })
}

/// "Validate stack deployments" (AWS CloudFormation User Guide).
pub(super) fn template_refused(evidence: &Evidence) -> Option<Diagnosis> {
    let fatal: Vec<String> =
        evidence.stack.findings.iter().filter(|finding| finding.fatal).map(finding_line).take(10).collect();
    let line = if fatal.is_empty() { evidence.stack.refused.clone()? } else { fatal.join("\n") };
    Some(Diagnosis {
        cause: CauseKind::TemplateRefused,
        text: "CloudFormation refused the change before anything was changed".to_owned(),
        evidence: line,
        log: Vec::new(),
        fix: "correct the setting in infra/leo.toml that the line is about (`cargo xtask synth` writes the templates to look \
              at), then `cargo xtask deploy`"
            .to_owned(),
    })
}

/// "Troubleshoot DNS validation problems" (AWS Certificate Manager User Guide); the record is in the event "Content of
/// DNS Record is: {Name: …,Type: CNAME,Value: …}" of the certificate.
pub(super) fn zone_not_delegated(evidence: &Evidence) -> Option<Diagnosis> {
    let not_validated = |reason: &str| {
        let reason = reason.to_lowercase();
        ["validat", "stabiliz", "timed out", "timeout", "hosted zone", "dns"]
            .iter()
            .any(|mark| reason.contains(mark))
    };
    let failed = evidence
        .stack
        .failures
        .iter()
        .find(|failure| failure.resource_type == CERTIFICATE && not_validated(&failure.reason));
    let waiting = evidence.stack.waiting.iter().find(|waiting| waiting.resource_type == CERTIFICATE);
    let line = match (failed, waiting) {
        (Some(failure), _) => super::words::failure_line(failure),
        (None, Some(waiting)) if evidence.stack.failures.is_empty() && is_overdue(evidence, waiting) => {
            let said = waiting.reason.as_deref().unwrap_or("pending validation");
            format!("{} ({CERTIFICATE}) has waited since {}: {said}", waiting.logical_id, waiting.since)
        }
        _ => return None,
    };
    let record = after(&line, "{Name:")
        .and_then(first_word)
        .map(|name| name.split(',').next().unwrap_or_default().to_owned());
    Some(Diagnosis {
        cause: CauseKind::ZoneNotDelegated,
        text: match record {
            Some(record) => format!("the certificate waits for the record {record}, which public DNS does not know"),
            None => "the certificate is not validated: public DNS does not know its record".to_owned(),
        },
        evidence: line,
        log: Vec::new(),
        fix: "the domain's registrar, or the zone above, has to name the four name servers of `hosted_zone_id` in \
              infra/leo.toml (`aws route53 get-hosted-zone --id <hosted_zone_id>` lists them, `dig NS <zone>` has to \
              show them); then `cargo xtask deploy`"
            .to_owned(),
    })
}

/// It was still waiting at the end, or waits for longer than it takes.
fn is_overdue(evidence: &Evidence, waiting: &ResourceWaiting) -> bool {
    let waited = seconds(&evidence.updated).zip(seconds(&waiting.since)).map(|(now, since)| now - since);
    evidence.stack.rollback_since.is_some()
        || evidence.ended.is_some()
        || waited.is_some_and(|waited| waited > PATIENCE_SECONDS)
}
