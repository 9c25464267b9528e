//! How a command fails: what is printed, and the exit code.

use leo_deploy::{DeployError, ServiceError, Step};
use leo_diagnostic::{Colours, Diagnostic};
use leo_image::ImageError;
use serde_json::{Value as Json, json};
use std::{fmt::Write as _, io::IsTerminal, process::ExitCode};

/// The exit codes that a failure can end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// The operation failed.
    Failed = 1,
    /// Bad usage, configuration or environment: nothing was sent.
    Usage = 2,
    /// Credentials missing, expired or denied.
    Credentials = 4,
    /// Left while the operation still runs in AWS.
    Detached = 5,
}

/// One thing that went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// Reads after "failed to …".
    pub(crate) message: String,
    /// Lines that show the cause.
    pub(crate) details: Vec<String>,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: vec![], hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What is wrong with the configuration; nothing was sent.
    Configuration(Vec<Diagnostic>),
    /// What went wrong, with the step where it did.
    Problems(Vec<(Option<Step>, Problem)>),
}

impl Failure {
    /// The exit code: that of the gravest problem, where being unable to sign in explains the rest.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Configuration(_) => Code::Usage,
            Self::Problems(problems) => {
                let codes = || problems.iter().map(|(_, problem)| problem.code);
                if codes().any(|code| code == Code::Credentials) {
                    Code::Credentials
                } else {
                    codes().max().unwrap_or(Code::Failed)
                }
            }
        }
    }

    /// Prints the failure: to a person on stderr, and with `json` as a document on stdout as well.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        eprint!("{}", self.text());
        if json {
            println!("{:#}", self.json());
        }
        ExitCode::from(self.code() as u8)
    }

    fn text(&self) -> String {
        match self {
            Self::Configuration(findings) => leo_diagnostic::render_all(findings, colours()),
            Self::Problems(problems) => {
                problems.iter().map(|(step, problem)| text_of(*step, problem)).collect()
            }
        }
    }

    fn json(&self) -> Json {
        let errors: Vec<Json> = match self {
            Self::Configuration(findings) => findings
                .iter()
                .filter(|finding| finding.is_error())
                .map(|finding| {
                    json!({
                        "message": finding.message,
                        "file": finding.location.as_ref().map(|location| &location.path),
                        "line": finding.location.as_ref().map(|location| location.line),
                        "hint": finding.hint,
                    })
                })
                .collect(),
            Self::Problems(problems) => problems
                .iter()
                .map(|(step, problem)| {
                    json!({
                        "step": step,
                        "message": problem.message,
                        "details": problem.details,
                        "hint": problem.hint,
                    })
                })
                .collect(),
        };
        json!({"status": "failed", "exit_code": self.code() as u8, "errors": errors})
    }
}

fn text_of(step: Option<Step>, problem: &Problem) -> String {
    let mut text = String::new();
    let step = step.map(|step| format!("{step}: ")).unwrap_or_default();
    // Writing to a string can't fail.
    let _ = writeln!(text, "error: {step}failed to {}", problem.message);
    for line in &problem.details {
        let _ = writeln!(text, "  │ {line}");
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

/// Colours where stderr is a terminal that wants them.
pub(crate) fn colours() -> Colours {
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Colours::Ansi
    } else {
        Colours::Plain
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![(None, problem)])
    }
}

impl From<DeployError> for Problem {
    fn from(error: DeployError) -> Self {
        Self { code: code_of(error.kind()), message: error.to_string(), details: vec![], hint: error.hint() }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let code = match error.class {
            leo_deploy::ErrorClass::Credentials => Code::Credentials,
            _ => Code::Failed,
        };
        Self { code, message: format!("call {error}"), details: vec![], hint: error.hint() }
    }
}

pub(crate) fn code_of(kind: leo_deploy::FailureKind) -> Code {
    use leo_deploy::FailureKind as Kind;
    match kind {
        Kind::Credentials => Code::Credentials,
        Kind::Detached => Code::Detached,
        Kind::Usage => Code::Usage,
        Kind::Service | Kind::Stack | Kind::Blocked | Kind::Gate => Code::Failed,
    }
}

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Self {
        use leo_image::FailureKind as Kind;
        let code = match error.kind() {
            Kind::Usage => Code::Usage,
            Kind::Credentials => Code::Credentials,
            Kind::Failed => Code::Failed,
        };
        Self { code, message: error.to_string(), details: error.details(), hint: error.hint() }
    }
}
