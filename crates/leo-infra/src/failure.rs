//! How a command fails: what is printed, and the exit code.

use crate::stdout;
use leo_aws::{FailureKind, ServiceError};
use leo_data::DataError;
use leo_deploy::{DeployError, Step, gate::GateError};
use leo_diagnostic::{Colours, Diagnostic};
use leo_image::ImageError;
use leo_release::ReleaseError;
use leo_secrets::{RecordError, SecretsError};
use serde_json::{Value as Json, json};
use std::{fmt::Write as _, io::IsTerminal, process::ExitCode};

/// One thing that went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: FailureKind,
    /// Reads after "failed to …".
    pub(crate) message: String,
    /// Lines that show the cause.
    pub(crate) details: Vec<String>,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: vec![], hint: None }
    }

    /// The same once something has been sent: exit code 2 says that nothing was.
    pub(crate) fn after_sending(mut self) -> Self {
        if self.kind == FailureKind::Usage {
            self.kind = FailureKind::Failed;
        }
        self
    }

    /// As it is printed.
    pub(crate) fn text(&self) -> String {
        text_of(None, self)
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
    /// That of the gravest problem.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Configuration(_) => FailureKind::Usage,
            Self::Problems(problems) => {
                problems.iter().map(|(_, problem)| problem.kind).max().unwrap_or(FailureKind::Failed)
            }
        }
    }

    /// Prints the failure: to a person on stderr, and with `json` as a document on stdout as well.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        eprint!("{}", self.text());
        if json {
            stdout::line(format_args!("{:#}", self.json()));
        }
        ExitCode::from(self.kind().exit_code())
    }

    /// The document of a failure with what was done all the same.
    pub(crate) fn with(&self, mut done: Json) -> Json {
        if let (Some(fields), Json::Object(failure)) = (done.as_object_mut(), self.json()) {
            fields.extend(failure);
        }
        done
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
        json!({"status": "failed", "exit_code": self.kind().exit_code(), "errors": errors})
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
        Self { hint: error.hint(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        Self { hint: error.hint(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Self {
        Self { hint: error.hint(), details: error.details(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Self {
        Self { hint: error.hint(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        Self { hint: Some(error.hint()), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<ReleaseError> for Problem {
    fn from(error: ReleaseError) -> Self {
        Self { hint: error.hint(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        Self { hint: error.hint(), ..Self::new(error.kind(), error.to_string()) }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self { hint: error.hint(), ..Self::new(error.kind(), format!("call {error}")) }
    }
}
