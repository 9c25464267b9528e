use std::cmp::Reverse;
use std::fmt;

use aws_sdk_ecr::types::{
    EnhancedImageScanFinding, FindingSeverity, ImageScanFinding, ImageScanFindings, VulnerablePackage,
};

/// How bad a finding is. The order is that of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nobody has said yet.
    Unrated,
    /// Nothing to do.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word in lower case, as `--fail-on` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unrated => "unrated",
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Basic scanning says `UNDEFINED`, enhanced scanning `UNTRIAGED` for what has no severity yet.
    fn parse(word: &str) -> Self {
        match word {
            "CRITICAL" => Self::Critical,
            "HIGH" => Self::High,
            "MEDIUM" => Self::Medium,
            "LOW" => Self::Low,
            "INFORMATIONAL" => Self::Informational,
            _ => Self::Unrated,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A known weakness of something in an image. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its name, like `CVE-2026-12345`.
    pub name: String,
    /// The package that has it, with its version.
    pub package: Option<String>,
    /// The version that no longer has it. Basic scanning does not say one.
    pub fixed_in: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
}

impl Finding {
    /// Those of one page, of whichever kind of scanning. What was suppressed or closed is none.
    pub(super) fn all(page: &ImageScanFindings) -> Vec<Self> {
        let basic = page.findings().iter().map(Self::basic);
        let open =
            |finding: &&EnhancedImageScanFinding| finding.status().is_none_or(|status| status == "ACTIVE");
        let enhanced = page.enhanced_findings().iter().filter(open).map(Self::enhanced);
        basic.chain(enhanced).collect()
    }

    fn basic(finding: &ImageScanFinding) -> Self {
        let attribute = |key: &str| {
            let found = finding.attributes().iter().find(|attribute| attribute.key() == key);
            found.and_then(|attribute| attribute.value()).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let package = attribute("package_name").map(|name| match attribute("package_version") {
            Some(version) => format!("{name} {version}"),
            None => name,
        });
        Self {
            severity: Severity::parse(finding.severity().map_or("", FindingSeverity::as_str)),
            name: finding.name().unwrap_or("unnamed").to_owned(),
            package,
            fixed_in: None,
            url: finding.uri().map(str::to_owned),
        }
    }

    fn enhanced(finding: &EnhancedImageScanFinding) -> Self {
        let details = finding.package_vulnerability_details();
        let package = details.and_then(|details| details.vulnerable_packages().first());
        let name = details.and_then(|details| details.vulnerability_id()).or(finding.title());
        let known = |version: &&str| !version.is_empty() && *version != "NotAvailable";
        Self {
            severity: Severity::parse(finding.severity().unwrap_or_default()),
            name: name.unwrap_or("unnamed").to_owned(),
            package: package.and_then(named),
            fixed_in: package.and_then(VulnerablePackage::fixed_in_version).filter(known).map(str::to_owned),
            url: details.and_then(|details| details.source_url()).map(str::to_owned),
        }
    }
}

fn named(package: &VulnerablePackage) -> Option<String> {
    let name = package.name()?;
    Some(match package.version() {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// The worst first, then by name.
impl Ord for Finding {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |finding: &Self| (Reverse(finding.severity), finding.name.clone(), finding.package.clone());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.name)?;
        if let Some(package) = &self.package {
            write!(f, " in {package}")?;
        }
        if let Some(version) = &self.fixed_in {
            write!(f, ", fixed in {version}")?;
        }
        self.url.as_ref().map_or(Ok(()), |url| write!(f, ": {url}"))
    }
}
