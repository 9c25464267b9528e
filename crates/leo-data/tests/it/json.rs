//! The services that speak JSON: Secrets Manager, ECR, ECS.

use serde_json::{Value, json};

use crate::account::{ACCOUNT, REGION, State};

/// A task, and what becomes of it once it is told to stop.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) group: String,
    /// Its statuses and those of its network interface still to come, one for each time it is looked at after it was told
    /// to stop; the last one stays.
    pub(crate) script: Vec<(&'static str, &'static str)>,
    pub(crate) told: bool,
}

impl Task {
    pub(crate) fn new(id: &str, group: &str, script: &[(&'static str, &'static str)]) -> Self {
        let mut script = script.to_vec();
        script.insert(0, ("RUNNING", "ATTACHED"));
        Self { id: id.to_owned(), group: group.to_owned(), script, told: false }
    }

    fn arn(&self) -> String {
        format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/leo-dev/{}", self.id)
    }

    fn looked_at(&mut self) -> Value {
        let (status, interface) = self.script[0];
        if self.told && self.script.len() > 1 {
            self.script.remove(0);
        }
        json!({
            "taskArn": self.arn(),
            "taskDefinitionArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/leo-dev-generator:7"),
            "lastStatus": status,
            "group": self.group,
            "startedBy": "ada",
            "attachments": [
                {"id": "a", "type": "ElasticNetworkInterface", "status": interface, "details": []},
            ],
        })
    }
}

pub(crate) fn error(code: &str, message: &str) -> (u16, String) {
    (400, json!({"__type": code, "message": message}).to_string())
}

impl State {
    pub(crate) fn json(&mut self, operation: &str, request: &Value) -> (u16, String) {
        let answer = match operation {
            "DescribeSecret" | "DeleteSecret" | "RestoreSecret" => return self.secret(operation, request),
            "DescribeRepositories" | "DescribeImages" | "DeleteRepository" => {
                return self.repository(operation, request);
            }
            "ListTasks" | "DescribeTasks" | "StopTask" if !self.cluster => {
                return error("ClusterNotFoundException", "Cluster not found.");
            }
            "ListTasks" => {
                let stopped = request["desiredStatus"] == "STOPPED";
                let arns: Vec<_> =
                    self.tasks.iter().filter(|task| task.told == stopped).map(Task::arn).collect();
                // Pages of two.
                let from = request["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
                let page: Vec<_> = arns.iter().skip(from).take(2).collect();
                let more = from + 2 < arns.len();
                json!({"taskArns": page, "nextToken": more.then(|| (from + 2).to_string())})
            }
            "DescribeTasks" => {
                let asked = request["tasks"].as_array().unwrap();
                let tasks: Vec<_> = self
                    .tasks
                    .iter_mut()
                    .filter(|task| asked.contains(&json!(task.arn())))
                    .map(Task::looked_at)
                    .collect();
                json!({"tasks": tasks, "failures": []})
            }
            "StopTask" => match self.tasks.iter_mut().find(|task| request["task"] == task.arn()) {
                Some(task) => {
                    task.told = true;
                    task.script.remove(0);
                    json!({"task": {}})
                }
                None => return error("InvalidParameterException", "The referenced task was not found."),
            },
            other => panic!("unexpected call of {other}"),
        };
        (200, answer.to_string())
    }

    fn secret(&mut self, operation: &str, request: &Value) -> (u16, String) {
        let name = request["SecretId"].as_str().unwrap();
        let Some(scheduled) = self.secrets.get_mut(name) else {
            return error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        };
        let arn = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf");
        let answer = match operation {
            "DescribeSecret" if *scheduled => {
                json!({"ARN": arn, "Name": name, "DeletedDate": 1_795_000_000})
            }
            "DescribeSecret" => json!({"ARN": arn, "Name": name}),
            "DeleteSecret" if *scheduled => {
                return error("InvalidRequestException", "the secret was marked for deletion");
            }
            "DeleteSecret" => {
                *scheduled = true;
                let days = request["RecoveryWindowInDays"].as_u64().unwrap();
                json!({"ARN": arn, "Name": name, "DeletionDate": 1_795_000_000 + days * 86_400})
            }
            _ => {
                *scheduled = false;
                json!({"ARN": arn, "Name": name})
            }
        };
        (200, answer.to_string())
    }

    fn repository(&mut self, operation: &str, request: &Value) -> (u16, String) {
        let name = request["repositoryName"].as_str().or(request["repositoryNames"][0].as_str()).unwrap();
        let Some(images) = self.repositories.get(name) else {
            return error("RepositoryNotFoundException", "The repository does not exist in the registry");
        };
        let answer = match operation {
            "DescribeRepositories" => json!({"repositories": [{"repositoryName": name}]}),
            "DescribeImages" => {
                // Pages of one.
                let at: usize = request["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
                let more = (at + 1 < images.len()).then(|| (at + 1).to_string());
                let page: Vec<_> =
                    images.iter().skip(at).take(1).map(|size| json!({"imageSizeInBytes": size})).collect();
                json!({"imageDetails": page, "nextToken": more})
            }
            _ => {
                assert_eq!(request["force"], true);
                self.repositories.remove(name);
                json!({"repository": {"repositoryName": name}})
            }
        };
        (200, answer.to_string())
    }
}
