"""Imports of what an environment keeps its data in: as shipped the emulator imports buckets, but no secret and no repository."""

from ministack.services import ecr, secretsmanager
from ministack.services.cloudformation import changesets, provisioners

NOT_FOUND = "Resource of type '{}' with identifier '{}' was not found."
SECRET = "AWS::SecretsManager::Secret"
REPOSITORY = "AWS::ECR::Repository"


def secret_of(arn):
    """A secret is imported by its ARN; one that is scheduled for deletion is none."""
    found = (secret for secret in secretsmanager._secrets.values() if secret["ARN"] == arn)
    return next((secret for secret in found if not secret.get("DeletedDate")), None)


def secret_problem(arn):
    return None if secret_of(arn) else NOT_FOUND.format(SECRET, arn)


def repository_problem(name):
    return None if name in ecr._repositories else NOT_FOUND.format(REPOSITORY, name)


def import_secret(identifier):
    secret = secret_of(identifier["Id"])
    return secret["Name"], {"Id": secret["ARN"], "Arn": secret["ARN"]}


def import_repository(identifier):
    repository = ecr._repositories[identifier["RepositoryName"]]
    attributes = {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}
    return identifier["RepositoryName"], attributes


def install():
    for kind, key, problem, handler in (
        (SECRET, "Id", secret_problem, import_secret),
        (REPOSITORY, "RepositoryName", repository_problem, import_repository),
    ):
        changesets._IMPORT_LOOKUPS[kind] = ((key,), problem)
        provisioners._RESOURCE_HANDLERS[kind]["import"] = handler
