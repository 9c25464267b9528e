/// A client for each service that holds something, all of one account and region.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The repositories.
    pub ecr: aws_sdk_ecr::Client,
    /// The tasks.
    pub ecs: aws_sdk_ecs::Client,
    /// The buckets.
    pub s3: aws_sdk_s3::Client,
    /// The secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
}
