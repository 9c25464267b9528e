//! The binary as a user runs it: against the local target with real containers, and refused where it has to be.

mod end_to_end;
mod http;
mod refusals;
mod without_engine;
mod workspace;
