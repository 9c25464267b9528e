use serde_json::{Map, Value};

/// One difference between a template for AWS and the same template for the emulator.
#[derive(Debug, Clone, Copy)]
pub struct Adaptation {
    /// A short name for messages.
    pub name: &'static str,
    /// Why the emulator needs it.
    pub why: &'static str,
    apply: fn(&mut Map<String, Value>),
}

/// Everything that differs in a template, and nothing else does.
pub const ADAPTATIONS: [Adaptation; 2] = [
    Adaptation {
        name: "secret-keys",
        why: "it reads the elements of a container's `Secrets` with lower-case keys only; others arrive empty",
        apply: lower_secret_keys,
    },
    Adaptation {
        name: "ingress-rules",
        why: "it knows no AWS::EC2::SecurityGroupIngress; folded into the groups, two that name each other would be a cycle, and it \
              enforces no security group anyway",
        apply: drop_ingress_rules,
    },
];

/// Changes a template so that the emulator takes it for what AWS would take it for. A template that needs nothing stays as it is;
/// adapting twice is adapting once.
pub fn adapt_template(template: &mut Value) {
    let Some(resources) = template.get_mut("Resources").and_then(Value::as_object_mut) else { return };
    for adaptation in ADAPTATIONS {
        (adaptation.apply)(resources);
    }
}

fn lower_secret_keys(resources: &mut Map<String, Value>) {
    for resource in resources.values_mut().filter(|one| is_type(one, "AWS::ECS::TaskDefinition")) {
        let containers =
            resource.pointer_mut("/Properties/ContainerDefinitions").and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let secrets = container.get_mut("Secrets").and_then(Value::as_array_mut);
            for secret in secrets.into_iter().flatten().filter_map(Value::as_object_mut) {
                for (from, to) in [("Name", "name"), ("ValueFrom", "valueFrom")] {
                    if let Some(value) = secret.remove(from) {
                        secret.insert(to.to_owned(), value);
                    }
                }
            }
        }
    }
}

/// Takes them out, and their ids out of every `DependsOn`.
fn drop_ingress_rules(resources: &mut Map<String, Value>) {
    let mut removed = Vec::new();
    resources.retain(|id, resource| {
        let is_rule = is_type(resource, "AWS::EC2::SecurityGroupIngress");
        if is_rule {
            removed.push(id.clone());
        }
        !is_rule
    });
    let is_removed = |id: &Value| id.as_str().is_some_and(|id| removed.iter().any(|one| one == id));
    for resource in resources.values_mut().filter_map(Value::as_object_mut) {
        let emptied = match resource.get_mut("DependsOn") {
            Some(Value::Array(list)) => {
                list.retain(|id| !is_removed(id));
                list.is_empty()
            }
            Some(one) => is_removed(one),
            None => false,
        };
        if emptied {
            resource.remove("DependsOn");
        }
    }
}

fn is_type(resource: &Value, kind: &str) -> bool {
    resource.get("Type").and_then(Value::as_str) == Some(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn adapted(template: &Value) -> Value {
        let mut once = template.clone();
        adapt_template(&mut once);
        let mut twice = once.clone();
        adapt_template(&mut twice);
        assert_eq!(once, twice, "adapting is idempotent");
        once
    }

    #[test]
    fn secret_keys_are_lowered() {
        let container = |secret: Value| {
            json!({"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [
                {"Name": "web", "Environment": [{"Name": "A", "Value": "b"}], "Secrets": [secret]}, {"Name": "bare"}]}}}})
        };
        let value = json!({"Fn::Sub": ["${S}:KEY::", {"S": {"Ref": "SecretArn"}}]});
        let before = container(json!({"Name": "KEY", "ValueFrom": value}));
        assert_eq!(adapted(&before), container(json!({"name": "KEY", "valueFrom": value})));
    }

    #[test]
    fn ingress_rules_are_dropped() {
        let before = json!({"Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
            "Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": {"Ref": "Group"}}},
            "After": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Rule"},
            "Other": {"Type": "AWS::Logs::LogGroup", "DependsOn": ["Rule", "Group"]}}});
        let after = json!({"Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
            "After": {"Type": "AWS::Logs::LogGroup"},
            "Other": {"Type": "AWS::Logs::LogGroup", "DependsOn": ["Group"]}}});
        assert_eq!(adapted(&before), after);
    }

    #[test]
    fn anything_else_stays() {
        for template in [
            json!({}),
            json!([]),
            json!({"Resources": 1}),
            json!({"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}),
        ] {
            assert_eq!(adapted(&template), template);
        }
    }
}
