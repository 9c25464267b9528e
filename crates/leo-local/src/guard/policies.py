"""Who may do what: one root key whose signature is verified, and ECS actions with AWS's resources and condition keys."""

import contextvars
import json

from ministack.core import iam_evaluator as evaluator
from settings import ACCESS_KEY, ACCOUNT, REGION

# Patched before anything imports them by name: one root key, and its signature is verified like any other.
evaluator.is_root_access_key = lambda key: key == ACCESS_KEY
evaluator._is_root_key = lambda key: False

from ministack import app as ministack_app  # noqa: E402
from ministack.core import iam_actions  # noqa: E402
from ministack.services import ecs, iam, tagging  # noqa: E402

# After the service authorization reference of ECS: what each action is evaluated against.
TASK_ACTIONS = {"StopTask", "DescribeTasks", "ExecuteCommand", "UpdateTaskProtection", "GetTaskProtection"}
SERVICE_ACTIONS = {"DescribeServices", "UpdateService", "DeleteService", "CreateService"}
ANY_RESOURCE = {"ListTasks", "ListServices", "RegisterTaskDefinition", "DescribeTaskDefinition", "ListTaskDefinitions",
                "ListTaskDefinitionFamilies", "DeregisterTaskDefinition", "ListClusters", "CreateCluster"}
ecs_request = contextvars.ContextVar("leo_ecs_request", default=None)


def ecs_arn(kind, name):
    return name if str(name).startswith("arn:") else f"arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{name}"


def ecs_cluster(body):
    return str(body.get("cluster") or "default").rsplit("/", 1)[-1]


def ecs_resources(action, body):
    cluster = ecs_cluster(body)
    if action in ("RunTask", "StartTask"):
        key = ecs._resolve_td_key(body.get("taskDefinition", ""))
        return [ecs_arn("task-definition", key or body.get("taskDefinition", ""))]
    if action in TASK_ACTIONS:
        tasks = body.get("tasks") or [body.get("task", "")]
        return [ecs_arn("task", f"{cluster}/{t}" if not str(t).startswith("arn:") else t) for t in tasks]
    if action in SERVICE_ACTIONS:
        names = body.get("services") or [body.get("service") or body.get("serviceName") or ""]
        return [ecs_arn("service", f"{cluster}/{n}" if not str(n).startswith("arn:") else n) for n in names]
    if action in ("TagResource", "UntagResource", "ListTagsForResource"):
        return [str(body.get("resourceArn", "*"))]
    if action == "DescribeClusters":
        return [ecs_arn("cluster", n) for n in body.get("clusters") or ["default"]]
    if action in ANY_RESOURCE:
        return ["*"]
    return None


_extract_resource_arn = iam_actions.extract_resource_arn
_enforce = evaluator.enforce
_pin_request_origin = ministack_app.pin_request_origin


def extract_resource_arn(service, method, path, headers, body, *rest, **named):
    ecs_request.set(None)
    if service == "ecs":
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            data = {}
        resources = ecs_resources(action, data) if isinstance(data, dict) else None
        if resources:
            ecs_request.set((action, data, resources))
            return resources[0]
    return _extract_resource_arn(service, method, path, headers, body, *rest, **named)


def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    request = ecs_request.get()
    if service != "ecs" or request is None:
        return _enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    ecs_request.set(None)
    action, body, resources = request
    context = {**(service_context or {}), "ecs:cluster": ecs_arn("cluster", ecs_cluster(body))}

    def check(name, arn, keys):
        # A dependent action is told by its own name, as AWS does.
        denied = _enforce(access_key_id, name, name.partition(":")[0], region, arn, keys)
        if denied is not None and name != iam_action and not isinstance(denied, evaluator.AuthError):
            message = f"User: {denied.principal_arn} is not authorized to perform: {name} on resource: {arn}"
            return evaluator.AuthError("AccessDeniedException", message)
        return denied

    for arn in resources:
        denied = check(iam_action, arn, context)
        if denied is not None:
            return denied
    if action == "RunTask":
        if body.get("tags"):
            tagged = ecs_arn("task", f"{ecs_cluster(body)}/*")
            denied = check("ecs:TagResource", tagged, {**context, "ecs:createaction": "RunTask"})
            if denied is not None:
                return denied
        definition = ecs._task_defs.get(ecs._resolve_td_key(body.get("taskDefinition", ""))) or {}
        for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
            denied = check("iam:PassRole", role, {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}) if role else None
            if denied is not None:
                return denied
    return None


_extract_simulate_params = iam._extract_simulate_params
_build_simulate_results = iam._build_simulate_results_real


def extract_simulate_params(parameters):
    """All resources that are asked about: the emulator knows the first one only."""
    actions, first = _extract_simulate_params(parameters)
    resources = []
    while resource := iam._p(parameters, f"ResourceArns.member.{len(resources) + 1}"):
        resources.append(resource)
    return actions, resources or [first]


def build_simulate_results(actions, resources, *rest):
    return "".join(_build_simulate_results(actions, resource, *rest) for resource in resources)


def install():
    iam._extract_simulate_params = extract_simulate_params
    iam._build_simulate_results_real = build_simulate_results
    iam_actions.extract_resource_arn = extract_resource_arn
    evaluator.enforce = enforce
    # aws:ResourceTag of tasks and services: the collector is there, only not for policies.
    tagging._RESOURCE_TAG_COLLECTORS["ecs"] = tagging._collect_ecs
    # Requests come over loopback or the bridge of this machine, without TLS: the TLS-only bucket policies mean neither.
    ministack_app.pin_request_origin = lambda address, secure: _pin_request_origin(address, True)
