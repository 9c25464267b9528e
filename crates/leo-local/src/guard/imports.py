"""Import change sets for what outlives a stack of ours: the emulator imports buckets, but neither repositories nor secrets.

After the resource types' own documentation: a repository's primary identifier is its name, a secret's its ARN.
"""

from ministack.services import ecr, secretsmanager
from ministack.services.cloudformation import changesets, provisioners

REPOSITORY = "AWS::ECR::Repository"
SECRET = "AWS::SecretsManager::Secret"

_import_ref = changesets._import_ref


def not_found(kind, value):
    return changesets._IMPORT_NOT_FOUND.format(type=kind, value=value)


def repository_problem(name):
    return None if name in ecr._repositories else not_found(REPOSITORY, name)


def import_repository(identifier):
    repository = ecr._repositories[identifier["RepositoryName"]]
    return repository["repositoryName"], {"Arn": repository["repositoryArn"],
                                          "RepositoryUri": repository["repositoryUri"]}


def secret_by_arn(arn):
    return next((secret for secret in secretsmanager._secrets.values() if secret["ARN"] == arn), None)


def secret_problem(arn):
    secret = secret_by_arn(arn)
    if secret is None or secret.get("DeletedDate"):
        return not_found(SECRET, arn)
    return None


def import_secret(identifier):
    secret = secret_by_arn(identifier["Id"])
    # The emulator's physical id of a secret is its name.
    return secret["Name"], {"Id": secret["ARN"], "Arn": secret["ARN"]}


def import_ref(kind, value):
    if kind == SECRET and value.startswith("arn:"):
        secret = secret_by_arn(value)
        return secret["Name"] if secret else value
    return _import_ref(kind, value)


def install():
    changesets._import_ref = import_ref
    for kind, key, problem, take_over in ((REPOSITORY, "RepositoryName", repository_problem, import_repository),
                                          (SECRET, "Id", secret_problem, import_secret)):
        changesets._IMPORT_LOOKUPS[kind] = ((key,), problem)
        provisioners._RESOURCE_HANDLERS[kind]["import"] = take_over
