use std::sync::{Arc, Mutex};
use std::time::Duration;

use leo_image::{Catalog, FailOn, Finding, ImageDigest, ImageError, ImageName, Repository, Scan, Severity};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::ecr::{Ecr, Store, error};

fn repository() -> Repository {
    Repository { name: "leo".into(), uri: "registry.example/leo".into() }
}

fn digest() -> ImageDigest {
    format!("sha256:{}", "a".repeat(64)).parse().unwrap()
}

/// An ECR that gives these answers one after the other, and the last one for ever.
fn answering(answers: Vec<(u16, Value)>) -> Catalog {
    let mut ecr = Ecr::new(Store::Memory(Arc::default()));
    let left = Mutex::new(answers);
    ecr.before = Arc::new(move |operation, request| {
        assert_eq!(operation, "DescribeImageScanFindings");
        assert_eq!(request["imageId"]["imageDigest"].as_str(), Some(digest().as_str()));
        let mut left = left.lock().unwrap();
        Some(if left.len() > 1 { left.remove(0) } else { left[0].clone() })
    });
    Catalog::new(ecr.client())
}

fn status(status: &str, description: &str) -> (u16, Value) {
    (200, json!({"imageScanStatus": {"status": status, "description": description}}))
}

fn unknown() -> (u16, Value) {
    error("ScanNotFoundException", "Image scan does not exist for the image")
}

fn basic(findings: &[(&str, &str)]) -> (u16, Value) {
    let findings: Vec<_> = findings
        .iter()
        .map(|(name, severity)| {
            json!({
                "name": name,
                "severity": severity,
                "uri": format!("https://advisories.example/{name}"),
                "attributes": [
                    {"key": "package_version", "value": "3.0.2-0ubuntu1"},
                    {"key": "package_name", "value": "openssl"},
                    {"key": "CVSS2_SCORE", "value": "9.3"},
                ],
            })
        })
        .collect();
    let status = json!({"status": "COMPLETE", "description": "The scan was completed successfully."});
    (200, json!({"imageScanStatus": status, "imageScanFindings": {"findings": findings}}))
}

fn enhanced() -> (u16, Value) {
    let finding = |id: &str, severity: &str, status: &str, fixed: &str| {
        json!({
            "severity": severity,
            "status": status,
            "title": format!("{id} - libxml2"),
            "packageVulnerabilityDetails": {
                "vulnerabilityId": id,
                "sourceUrl": format!("https://advisories.example/{id}"),
                "vulnerablePackages": [{"name": "libxml2", "version": "2.9.1", "fixedInVersion": fixed}],
            },
        })
    };
    let findings = [
        finding("CVE-1", "MEDIUM", "ACTIVE", "0:2.9.1-6"),
        finding("CVE-2", "CRITICAL", "SUPPRESSED", "NotAvailable"),
        finding("CVE-3", "UNTRIAGED", "ACTIVE", "NotAvailable"),
        finding("CVE-4", "HIGH", "ACTIVE", "NotAvailable"),
    ];
    let status = json!({"status": "ACTIVE", "description": "Continuous scan is selected for image."});
    (200, json!({"imageScanStatus": status, "imageScanFindings": {"enhancedFindings": findings}}))
}

async fn pass(answers: Vec<(u16, Value)>, fail_on: &str) -> Result<Vec<Finding>, ImageError> {
    let catalog = answering(answers);
    catalog.pass_scan(ImageName::Generator, &repository(), &digest(), fail_on.parse().unwrap()).await
}

fn shown(error: &ImageError) -> String {
    assert_eq!(error.kind().exit_code(), 1);
    let lines = [vec![format!("failed to {error}")], error.details()].concat().join("\n  ");
    format!("{lines}\nhint: {}", error.hint().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_scan_under_way_is_waited_for_from_before_it_is_known() {
    let started = Instant::now();
    let answers =
        vec![unknown(), status("PENDING", ""), status("IN_PROGRESS", ""), basic(&[("CVE-1", "LOW")])];
    let found = pass(answers, "high").await.unwrap();
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["low CVE-1 in openssl 3.0.2-0ubuntu1: https://advisories.example/CVE-1"]
    );
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_go_by_is_no_pass() {
    let mut said = Vec::new();
    for (answer, seconds) in [
        (unknown(), 60),
        (status("IN_PROGRESS", ""), 600),
        // Done, and what it found is not there yet.
        (status("COMPLETE", ""), 600),
        (status("FAILED", "The scan failed: the image is corrupted."), 0),
        (status("UNSUPPORTED_IMAGE", "The operating system 'scratch' is not supported."), 0),
        (status("LIMIT_EXCEEDED", ""), 0),
        (status("SOMETHING_NEW", ""), 0),
        ((200, json!({})), 0),
    ] {
        let started = Instant::now();
        let error = pass(vec![answer], "critical").await.unwrap_err();
        assert!(matches!(error, ImageError::NotScanned { .. }), "{error}");
        assert_eq!(started.elapsed(), Duration::from_secs(seconds), "{error}");
        said.push(error.to_string());
    }
    said.push(shown(&pass(vec![unknown()], "critical").await.unwrap_err()));
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn what_is_bad_enough_fails_with_name_package_fix_and_place() {
    let mut said = Vec::new();
    for fail_on in FailOn::WORDS {
        said.push(match pass(vec![enhanced()], fail_on).await {
            Ok(rest) => format!("{fail_on}: {} below it", rest.len()),
            Err(error) => format!("{fail_on}: {}", shown(&error)),
        });
    }
    let many: Vec<_> = (10..40).map(|number| (format!("CVE-{number}"), "CRITICAL")).collect();
    let many: Vec<_> = many.iter().map(|(name, severity)| (name.as_str(), *severity)).collect();
    let error = pass(vec![basic(&many)], "critical").await.unwrap_err();
    assert_eq!(error.details().len(), 21);
    said.push(format!("{error}; {}; {}", error.details()[0], error.details()[20]));
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn findings_of_every_page_are_read() {
    let mut first = basic(&[("CVE-1", "LOW")]);
    first.1["nextToken"] = json!("more");
    let catalog = answering(vec![first, basic(&[("CVE-2", "CRITICAL"), ("CVE-3", "UNDEFINED")])]);
    let Scan::Done(findings) = catalog.scan(&repository(), &digest()).await.unwrap() else {
        panic!("not done")
    };
    let found: Vec<_> = findings.iter().map(|finding| (finding.name.as_str(), finding.severity)).collect();
    assert_eq!(
        found,
        [("CVE-2", Severity::Critical), ("CVE-1", Severity::Low), ("CVE-3", Severity::Unrated)]
    );
}

#[tokio::test]
async fn an_image_that_is_not_there_or_a_call_that_is_denied_is_said_as_such() {
    let missing = pass(vec![error("ImageNotFoundException", "x")], "low").await.unwrap_err();
    assert!(matches!(missing, ImageError::DigestMissing { .. }), "{missing}");
    let denied =
        pass(vec![error("AccessDeniedException", "not authorized to perform: ecr:Describe…")], "low").await;
    assert_eq!(denied.unwrap_err().kind().exit_code(), 4);
    assert_eq!(
        "worst".parse::<FailOn>().unwrap_err().to_string(),
        "read `worst` as a severity: wanted one of critical, high, medium, low"
    );
}
