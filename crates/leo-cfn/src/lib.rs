//! Typed CloudFormation: logical ids, values and intrinsics, resources and handles, fragments, templates, policies.
//!
//! A [`Fragment`] collects resources; adding one gives a [`Handle`] that proves it is there, and the handle's
//! `reference()` and attribute methods give [`Value`]s of the right type. [`Template::compose`] merges fragments
//! and proves that what is left to go wrong (duplicate ids, dangling references, cycles, limits) did not.
//!
//! Deliberately absent: files, clocks, the network, an AWS SDK, and every resource type or property that our
//! stacks do not use.

pub mod fragment;
pub mod id;
pub mod policy;
pub mod resource;
pub mod template;
pub mod types;
pub mod value;

pub use fragment::{Fragment, Output, Parameter, ParameterType, Rule};
pub use id::LogicalId;
pub use policy::{Effect, PolicyDocument, Principal, Statement};
pub use resource::{Attributes, DeletionPolicy, Handle, Resource, Tag, Tagging, UpdateReplacePolicy};
pub use template::{ComposeError, Kind, Template};
pub use value::{Condition, Value, join, join_list, pseudo, select, sub};
