//! The resource types that our stacks use, with the properties that they use, named as AWS names them.

pub mod certificatemanager;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod elasticloadbalancingv2;
pub mod iam;
pub mod logs;
pub mod route53;
pub mod s3;
pub mod secretsmanager;

/// Declares what [`Resource`](crate::Resource) needs to know of a type.
macro_rules! resource {
    ($name:ident = $kind:literal, $tagging:ident, Ref = $id:ty) => {
        impl crate::Resource for $name {
            const TYPE: &'static str = $kind;
            const TAGGING: crate::Tagging = crate::Tagging::$tagging;
            type Id = $id;
        }
    };
}
pub(crate) use resource;

/// Declares types that exist only to keep values apart.
macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
    )*};
}
pub(crate) use identifiers;
