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
pub const ADAPTATIONS: [Adaptation; 3] = [
    Adaptation {
        name: "secret-keys",
        why: "it reads the elements of a container's `Secrets` with lower-case keys only; others arrive empty",
        apply: lower_secret_keys,
    },
    Adaptation {
        name: "capacity-providers",
        why: "it knows no AWS::ECS::ClusterCapacityProviderAssociations; the cluster's own properties say the same",
        apply: fold_capacity_providers,
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

fn fold_capacity_providers(resources: &mut Map<String, Value>) {
    for association in remove_type(resources, "AWS::ECS::ClusterCapacityProviderAssociations") {
        let Some(properties) = association.get("Properties") else { continue };
        let Some(cluster) = properties.get("Cluster").and_then(|cluster| cluster_of(resources, cluster))
        else {
            continue;
        };
        for key in ["CapacityProviders", "DefaultCapacityProviderStrategy"] {
            if let Some(value) = properties.get(key) {
                cluster.insert(key.to_owned(), value.clone());
            }
        }
    }
}

/// The properties of the cluster that a `Ref` or a literal name means.
fn cluster_of<'a>(
    resources: &'a mut Map<String, Value>,
    cluster: &Value,
) -> Option<&'a mut Map<String, Value>> {
    let named = |one: &Value| {
        is_type(one, "AWS::ECS::Cluster") && one.pointer("/Properties/ClusterName") == Some(cluster)
    };
    let id = match cluster.get("Ref") {
        Some(id) => id.as_str()?.to_owned(),
        None => resources.iter().find(|(_, one)| named(one))?.0.clone(),
    };
    resources.get_mut(&id)?.get_mut("Properties")?.as_object_mut()
}

fn drop_ingress_rules(resources: &mut Map<String, Value>) {
    remove_type(resources, "AWS::EC2::SecurityGroupIngress");
}

fn is_type(resource: &Value, kind: &str) -> bool {
    resource.get("Type").and_then(Value::as_str) == Some(kind)
}

/// Takes the resources of a type out, and their ids out of every `DependsOn`.
fn remove_type(resources: &mut Map<String, Value>, kind: &str) -> Vec<Value> {
    let ids: Vec<String> =
        resources.iter().filter(|(_, one)| is_type(one, kind)).map(|(id, _)| id.clone()).collect();
    let removed = ids.iter().filter_map(|id| resources.remove(id)).collect();
    let is_removed = |id: &Value| id.as_str().is_some_and(|id| ids.iter().any(|one| one == id));
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
    removed
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
    fn capacity_providers_move_into_the_cluster() {
        let strategy = json!([{"CapacityProvider": "FARGATE", "Weight": 1}]);
        for cluster in [json!({"Ref": "Cluster"}), json!("leo-dev")] {
            let before = json!({"Resources": {
                "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "leo-dev"}},
                "Providers": {"Type": "AWS::ECS::ClusterCapacityProviderAssociations", "Properties": {
                    "Cluster": cluster, "CapacityProviders": ["FARGATE"], "DefaultCapacityProviderStrategy": strategy}},
                "Other": {"Type": "AWS::Logs::LogGroup", "DependsOn": ["Providers", "Cluster"]}}});
            let after = json!({"Resources": {
                "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "leo-dev",
                    "CapacityProviders": ["FARGATE"], "DefaultCapacityProviderStrategy": strategy}},
                "Other": {"Type": "AWS::Logs::LogGroup", "DependsOn": ["Cluster"]}}});
            assert_eq!(adapted(&before), after);
        }
    }

    #[test]
    fn ingress_rules_are_dropped() {
        let before = json!({"Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
            "Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": {"Ref": "Group"}}},
            "After": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Rule"}}});
        let after = json!({"Resources": {
            "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {}},
            "After": {"Type": "AWS::Logs::LogGroup"}}});
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
