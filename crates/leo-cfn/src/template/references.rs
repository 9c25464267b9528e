//! Finds every reference in a part of a template.

use serde_json::Value as Json;

/// What a reference may point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A resource: `Fn::GetAtt`, `DependsOn`.
    Resource,
    /// A resource or a parameter: `Ref`, `Fn::Sub`.
    Referable,
    /// A condition: `Fn::If`, `Condition`.
    Condition,
    /// A placeholder of `Fn::Sub` that its own bindings have to carry.
    Placeholder,
}

/// One reference: where it stands, what kind of thing it wants, and its name.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) target: String,
}

/// Every reference inside `node`, which stands at `path`; pseudo parameters are left out.
pub(crate) fn references(node: &Json, path: &str) -> Vec<Reference> {
    let mut found = vec![];
    visit(node, path, &mut found);
    found
}

/// Where texts inside `node` have a dynamic reference, `{{resolve:…}}`.
pub(crate) fn dynamic_references(node: &Json, path: &str) -> Vec<String> {
    match node {
        Json::String(text) if text.contains("{{resolve:") => vec![path.to_owned()],
        Json::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| dynamic_references(value, &format!("{path}.{key}")))
            .collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| dynamic_references(item, &format!("{path}[{index}]")))
            .collect(),
        _ => vec![],
    }
}

fn visit(node: &Json, path: &str, found: &mut Vec<Reference>) {
    match node {
        Json::Object(entries) => {
            for (key, value) in entries {
                intrinsic(key, value, &format!("{path}.{key}"), found);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn intrinsic(key: &str, value: &Json, path: &str, found: &mut Vec<Reference>) {
    let mut push = |kind, target: &str| {
        if !target.starts_with("AWS::") {
            found.push(Reference { path: path.to_owned(), kind, target: target.to_owned() });
        }
    };
    match (key, value) {
        ("Ref", Json::String(target)) => push(Kind::Referable, target),
        ("Fn::GetAtt", Json::String(attribute)) => {
            push(Kind::Resource, attribute.split('.').next().unwrap_or(attribute));
        }
        ("Fn::GetAtt", Json::Array(parts)) => {
            if let Some(Json::String(target)) = parts.first() {
                push(Kind::Resource, target);
            }
        }
        ("Fn::If", Json::Array(parts)) => {
            if let Some((Json::String(condition), arms)) = parts.split_first() {
                push(Kind::Condition, condition);
                for (index, arm) in arms.iter().enumerate() {
                    visit(arm, &format!("{path}[{}]", index + 1), found);
                }
            }
        }
        ("Fn::Sub", Json::String(pattern)) => {
            for name in placeholders(pattern) {
                match name.split_once('.') {
                    Some((resource, _)) if !name.starts_with("AWS::") => push(Kind::Resource, resource),
                    _ => push(Kind::Referable, name),
                }
            }
        }
        ("Fn::Sub", Json::Array(parts)) => {
            if let [Json::String(pattern), Json::Object(bindings)] = parts.as_slice() {
                for name in placeholders(pattern).filter(|name| !bindings.contains_key(*name)) {
                    push(Kind::Placeholder, name);
                }
                for (name, value) in bindings {
                    visit(value, &format!("{path}.{name}"), found);
                }
            }
        }
        _ => visit(value, path, found),
    }
}

/// The names in `${…}`, but for the escape `${!…}`.
fn placeholders(pattern: &str) -> impl Iterator<Item = &str> {
    pattern
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .filter(|name| !name.starts_with('!'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_reference_is_found() {
        let node = json!({
            "A": {"Ref": "Vpc"},
            "B": [{"Fn::GetAtt": ["Role", "Arn"]}, {"Fn::GetAtt": "Bucket.Arn"}],
            "C": {"Fn::If": ["UseTls", {"Ref": "Listener"}, {"Ref": "AWS::NoValue"}]},
            "D": {"Fn::Sub": "${AWS::Region}-${Zone}-${Subnet.CidrBlock}-${!Literal}"},
            "E": {"Fn::Sub": ["${Known}/${Unknown}", {"Known": {"Ref": "Key"}}]},
            "Condition": {"StringEquals": {"aws:x": {"Ref": "Account"}}},
        });
        let mut found: Vec<String> = references(&node, "X")
            .into_iter()
            .map(|r| format!("{:?} {} at {}", r.kind, r.target, r.path))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "Condition UseTls at X.C.Fn::If",
                "Placeholder Unknown at X.E.Fn::Sub",
                "Referable Account at X.Condition.StringEquals.aws:x.Ref",
                "Referable Key at X.E.Fn::Sub.Known.Ref",
                "Referable Listener at X.C.Fn::If[1].Ref",
                "Referable Vpc at X.A.Ref",
                "Referable Zone at X.D.Fn::Sub",
                "Resource Bucket at X.B[1].Fn::GetAtt",
                "Resource Role at X.B[0].Fn::GetAtt",
                "Resource Subnet at X.D.Fn::Sub",
            ]
        );
    }
}
