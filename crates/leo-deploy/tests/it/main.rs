//! The engine against recorded conversations: what AWS answers, in the order in which it is asked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "a helper of a test fails as a test does"
)]

mod adopting;
mod answers;
mod asking;
mod attaching;
mod blocked;
mod deleting;
mod deploy;
mod deploying;
mod drifting;
mod failing;
mod findings;
mod following;
mod gate;
mod giving_up;
mod going_back;
mod holding;
mod in_doubt;
mod lost_answers;
mod overtaken;
mod played;
mod recovering;
mod retrying;
mod states;
mod waiting_longer;
mod wire;
