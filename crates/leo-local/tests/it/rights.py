"""Runs a task with a role, then shows what its session may do. Uses `client` of the prelude; prints one line a question."""

import json
import subprocess
import time

ACCOUNT, REGION = "000000000000", os.environ["AWS_REGION"]
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/leo-test"


def statement(action, resource, **condition):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


def task_definition(family):
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}"


def until(found, what, patience=30):
    for _ in range(patience * 10):
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise SystemExit(f"waited too long for {what}")


iam, ecs, logs, s3 = client("iam"), client("ecs"), client("logs"), client("s3")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
roles = {name: iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
         for name in ("starter", "worker", "stranger")}
iam.put_role_policy(RoleName="starter", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    statement("ecs:RunTask", task_definition("worker") + ":*", ArnEquals={"ecs:cluster": CLUSTER}),
    statement("ecs:RunTask", task_definition("stranger") + ":*", ArnEquals={"ecs:cluster": CLUSTER}),
    statement("ecs:TagResource", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/leo-test/*",
              StringEquals={"ecs:CreateAction": "RunTask"}),
    statement("iam:PassRole", roles["worker"], StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    statement("ecs:ListTasks", "*", ArnEquals={"ecs:cluster": CLUSTER}),
    statement(["ecs:DescribeTasks", "ecs:StopTask"], f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/leo-test/*",
              ArnEquals={"ecs:cluster": CLUSTER}),
    {"Effect": "Deny", "Action": "ecs:StopTask", "Resource": "*",
     "Condition": {"StringEquals": {"aws:ResourceTag/leo:component": "starter"}}},
    statement(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::leo-test/jobs/*"),
]}))
ecs.create_cluster(clusterName="leo-test")
s3.create_bucket(Bucket="leo-test", CreateBucketConfiguration={"LocationConstraint": REGION})
logs.create_log_group(logGroupName="/leo/test")
for family in roles:
    ecs.register_task_definition(
        family=family, networkMode="awsvpc", taskRoleArn=roles[family], containerDefinitions=[{
            "name": "one", "image": os.environ["IMAGE"], "essential": True, "logConfiguration": {
                "logDriver": "awslogs", "options": {"awslogs-group": "/leo/test", "awslogs-region": REGION,
                                                    "awslogs-stream-prefix": "p"}}}])
own = ecs.run_task(cluster="leo-test", taskDefinition="starter",
                   tags=[{"key": "leo:component", "value": "starter"}])["tasks"][0]["taskArn"]


def container():
    found = subprocess.run(["docker", "ps", "-q", "--filter", f"label=com.amazonaws.ecs.task-arn={own}"],
                           capture_output=True, text=True, check=True).stdout.split()
    return found and json.loads(subprocess.run(["docker", "inspect", found[0]], capture_output=True, text=True,
                                               check=True).stdout)[0]["Config"]["Env"]


env = dict(line.split("=", 1) for line in until(container, "the task's container"))
print("from inside", until(lambda: [event["message"] for stream in logs.describe_log_streams(
    logGroupName="/leo/test")["logStreams"] for event in logs.get_log_events(
        logGroupName="/leo/test", logStreamName=stream["logStreamName"])["events"]], "the container's words")[0])


def inside(service):
    return boto3.client(service, endpoint_url=os.environ["AT"], region_name=env["AWS_REGION"],
                        aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
                        aws_session_token=env["AWS_SESSION_TOKEN"],
                        config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}))


mine, bucket = inside("ecs"), inside("s3")
tags = [{"key": "leo:run", "value": "1"}]
worker = []
for question, call in (
    ("identity", lambda: inside("sts").get_caller_identity()),
    ("run the worker", lambda: worker.append(mine.run_task(cluster="leo-test", taskDefinition="worker", tags=tags))),
    ("run oneself", lambda: mine.run_task(cluster="leo-test", taskDefinition="starter")),
    ("run with a role that is not to be passed", lambda: mine.run_task(cluster="leo-test", taskDefinition="stranger")),
    ("run in another cluster", lambda: mine.run_task(cluster="other", taskDefinition="worker")),
    ("list", lambda: mine.list_tasks(cluster="leo-test")),
    ("list another cluster", lambda: mine.list_tasks(cluster="other")),
    ("stop the worker", lambda: mine.stop_task(cluster="leo-test", task=worker[0]["tasks"][0]["taskArn"])),
    ("stop oneself", lambda: mine.stop_task(cluster="leo-test", task=own)),
    ("write a job", lambda: bucket.put_object(Bucket="leo-test", Key="jobs/1/input", Body=b"x")),
    ("write elsewhere", lambda: bucket.put_object(Bucket="leo-test", Key="other", Body=b"x")),
    ("read stacks", lambda: inside("cloudformation").list_stacks()),
):
    print(question, code_of(call))
ecs.stop_task(cluster="leo-test", task=own)
print("after the task's end", code_of(lambda: mine.list_tasks(cluster="leo-test")))
