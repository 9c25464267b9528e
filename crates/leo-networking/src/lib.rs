//! The network: VPC, public subnets, routes, S3 gateway endpoint, security groups.
