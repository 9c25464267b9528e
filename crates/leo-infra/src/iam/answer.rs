//! What IAM answers, which is XML.

use std::fmt;

/// What IAM decided about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) resource: String,
    pub(crate) decision: Decision,
}

/// Why a role may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A statement of its own policies, or of the resource's, forbids it.
    Forbidden,
    /// Its permissions boundary forbids it, or does not allow it.
    Boundary,
    /// A policy of the organization forbids it, or does not allow it.
    Organization,
    /// Nothing allows it.
    NotAllowed,
}

/// Whether a role may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    /// It may not, for this reason.
    Denied(Refusal),
    /// It depends on these keys of a request, which nobody knows before there is one.
    DependsOn(Vec<String>),
}

/// An element of a document.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// The verdicts of an answer; `None` where it is none.
pub(crate) fn verdicts(text: &str) -> Option<Vec<Verdict>> {
    let document = parse(text)?;
    let results = document.find("EvaluationResults")?;
    results.children.iter().map(verdict).collect()
}

/// The code and the message of an error, as far as there are any.
pub(crate) fn error(text: &str) -> (Option<String>, String) {
    let document = parse(text).unwrap_or_default();
    let said = |name| document.find(name).map(|element| element.text.trim().to_owned());
    (said("Code").filter(|code| !code.is_empty()), said("Message").unwrap_or_default())
}

fn verdict(result: &Element) -> Option<Verdict> {
    let resource = result.child("EvalResourceName")?.text.trim().to_owned();
    let missing: Vec<String> = result
        .child("MissingContextValues")
        .into_iter()
        .flat_map(|missing| &missing.children)
        .map(|key| key.text.trim().to_owned())
        .collect();
    let no = |detail: &str, part: &str| {
        result
            .child(detail)
            .and_then(|detail| detail.child(part))
            .is_some_and(|part| part.text.trim() == "false")
    };
    let decision = match result.child("EvalDecision")?.text.trim() {
        "allowed" => Decision::Allowed,
        // A condition that can't be judged counts as not met.
        "implicitDeny" if !missing.is_empty() => Decision::DependsOn(missing),
        "explicitDeny" | "implicitDeny"
            if no("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary") =>
        {
            Decision::Denied(Refusal::Boundary)
        }
        "explicitDeny" | "implicitDeny" if no("OrganizationsDecisionDetail", "AllowedByOrganizations") => {
            Decision::Denied(Refusal::Organization)
        }
        "explicitDeny" => Decision::Denied(Refusal::Forbidden),
        "implicitDeny" => Decision::Denied(Refusal::NotAllowed),
        _ => return None,
    };
    Some(Verdict { resource, decision })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forbidden => "a statement forbids it",
            Self::Boundary => "its permissions boundary does not allow it",
            Self::Organization => "a policy of the organization does not allow it",
            Self::NotAllowed => "no policy allows it",
        })
    }
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first of this name, at any depth.
    fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// The document of a service that writes plain XML: elements and texts. Attributes, comments and the like are passed over;
/// `None` where it does not hold together.
fn parse(text: &str) -> Option<Element> {
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        open.last_mut()?.text.push_str(&unescaped(before));
        let (tag, after) = after.split_once('>')?;
        rest = after;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().filter(|element| element.name == name.trim())?;
            open.last_mut()?.children.push(closed);
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name = tag.split_whitespace().next()?.to_owned();
        let element = Element { name, ..Element::default() };
        if is_empty {
            open.last_mut()?.children.push(element);
        } else {
            open.push(element);
        }
    }
    let document = open.pop()?;
    (open.is_empty() && !document.children.is_empty()).then_some(document)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(members: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{members}\
             </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )
    }

    fn decision(inside: &str) -> Option<Decision> {
        let member = format!("<member><EvalResourceName>arn:one</EvalResourceName>{inside}</member>");
        let verdict = verdicts(&answer(&member))?.pop()?;
        assert_eq!(verdict.resource, "arn:one");
        Some(verdict.decision)
    }

    #[test]
    fn each_resource_has_its_verdict() {
        let one = "<member><MatchedStatements><member><SourcePolicyId>task</SourcePolicyId></member></MatchedStatements>\
                   <MissingContextValues/><EvalResourceName>arn:one</EvalResourceName><EvalDecision>allowed</EvalDecision>\
                   </member>";
        let other = "<member><EvalDecision>explicitDeny</EvalDecision><EvalResourceName>arn:a&amp;b</EvalResourceName></member>";
        let expected = [
            Verdict { resource: "arn:one".to_owned(), decision: Decision::Allowed },
            Verdict { resource: "arn:a&b".to_owned(), decision: Decision::Denied(Refusal::Forbidden) },
        ];
        assert_eq!(verdicts(&answer(&format!("{one}\n{other}"))), Some(expected.into()));
    }

    #[test]
    fn a_refusal_says_who_refuses() {
        let denied = "<EvalDecision>implicitDeny</EvalDecision>";
        assert_eq!(decision(denied), Some(Decision::Denied(Refusal::NotAllowed)));
        let boundary = "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false\
                        </AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>";
        let forbidden = "<EvalDecision>explicitDeny</EvalDecision>";
        assert_eq!(decision(forbidden), Some(Decision::Denied(Refusal::Forbidden)));
        for said in [denied, forbidden] {
            let expected = Decision::Denied(Refusal::Boundary);
            assert_eq!(decision(&format!("{said}{boundary}")), Some(expected));
        }
        let organization = "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>\
                            </OrganizationsDecisionDetail>";
        let expected = Decision::Denied(Refusal::Organization);
        assert_eq!(decision(&format!("{denied}{organization}")), Some(expected));
        let missing = "<MissingContextValues><member>aws:PrincipalTag/team</member></MissingContextValues>";
        let expected = Decision::DependsOn(vec!["aws:PrincipalTag/team".to_owned()]);
        assert_eq!(decision(&format!("{denied}{missing}")), Some(expected));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for text in
            ["", "<a>", "<a></b>", "</a>", "plain", "<a><EvaluationResults>", &answer("<member></member>")]
        {
            assert_eq!(verdicts(text), None, "{text}");
        }
        assert_eq!(verdicts(&answer("")), Some(vec![]));
        assert_eq!(decision("<EvalDecision>perhaps</EvalDecision>"), None);
    }

    #[test]
    fn an_error_has_a_code_and_a_message() {
        let text = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not \
                    authorized</Message></Error></ErrorResponse>";
        assert_eq!(error(text), (Some("AccessDenied".to_owned()), "User: x is not authorized".to_owned()));
        assert_eq!(error("<html>"), (None, String::new()));
    }
}
