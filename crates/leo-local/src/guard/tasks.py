"""Tasks: only this target's own containers are ever removed, and a task gets a session of its own role."""

import time

from ministack.core import container_reaper
from ministack.services import ecs, iam, sts
from settings import ACCOUNT, REGION

STARTS_A_MINUTE = 5

service_starts = {}
_reap_all = container_reaper.reap_all
_register_metadata = ecs._register_metadata
_cleanup_task_resources = ecs._cleanup_task_resources
_run_task = ecs._run_task


def register_metadata(task_arn, cluster_arn, td, cdef, launch_type, env, *rest):
    token = _register_metadata(task_arn, cluster_arn, td, cdef, launch_type, env, *rest)
    # SDKs refuse plain-HTTP credential addresses that are not loopback, so the session travels in the environment.
    for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        env.pop(name, None)
    env.setdefault("AWS_REGION", REGION)
    role_arn = td.get("taskRoleArn")
    if role_arn:
        role = role_arn.rsplit("/", 1)[-1]
        task_id = task_arn.rsplit("/", 1)[-1]
        record = iam._roles.get(role) or {}
        session = {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{task_id}",
            "UserId": f"{record.get('RoleId', 'AROA')}:{task_id}",
            "AccountId": ACCOUNT,
            "PrincipalType": "AssumedRole",
            "SecretAccessKey": iam._gen_secret(),
            "SessionToken": iam._gen_session_token(),
            "TaskArn": task_arn,
        }
        key = iam._gen_session_access_key()
        sts.register_session(key, session)
        env["AWS_ACCESS_KEY_ID"] = key
        env["AWS_SECRET_ACCESS_KEY"] = session["SecretAccessKey"]
        env["AWS_SESSION_TOKEN"] = session["SessionToken"]
    return token


def cleanup_task_resources(task, *rest, **named):
    _cleanup_task_resources(task, *rest, **named)
    for key in [k for k, s in list(sts._sessions.items()) if s.get("TaskArn") == task.get("taskArn")]:
        sts._sessions.pop(key, None)


def run_task(data):
    # A service whose tasks can't start is restarted in a hot loop, breaker or not: it gets a few starts a minute.
    deployment = data.get("_deploymentId")
    if deployment:
        now = time.monotonic()
        recent = [at for at in service_starts.get(deployment, []) if now - at < 60] + [now]
        service_starts[deployment] = recent[-(STARTS_A_MINUTE + 1):]
        if len(recent) > STARTS_A_MINUTE:
            return ecs.json_response({"tasks": [], "failures": [{"reason": "too many starts in a minute"}]})
    # The templates say PropagateTags: SERVICE, which a stack's service drops; our StopTask policy reads those tags.
    group = data.get("group", "")
    if group.startswith("service:") and not data.get("tags"):
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        service = ecs._services.get(f"{cluster}/{group.split(':', 1)[1]}") or {}
        tags = [t for t in service.get("tags") or [] if not str(t.get("key", "")).startswith("aws:")]
        data = {**data, "tags": tags}
    return _run_task(data)


def install():
    # The shipped sweep also removes containers of other emulators that carry no instance label.
    container_reaper.reap_all = lambda client, stop_timeout=2, include_unlabelled=False: _reap_all(client, stop_timeout)
    ecs._register_metadata = register_metadata
    ecs._cleanup_task_resources = cleanup_task_resources
    ecs._run_task = run_task
