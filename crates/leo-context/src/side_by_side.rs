//! Work on many things with as many threads as there are processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

/// As many as there are processors. It takes reading some files to know.
static WORKERS: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

/// Does `work` for each of `items`, in their order as far as one thread is concerned, and answers in none. Each thread
/// has a state of its own, which it begins with.
///
/// # Errors
/// One of those of `work`; after it no other item is begun.
pub(crate) fn side_by_side<T: Sync, S, R: Send, E: Send>(
    items: &[T],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Ok(Vec::with_capacity(items.len())));
    let worker = || {
        let mut state = state();
        let mut own = Vec::new();
        let mut failed = None;
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            match work(&mut state, item) {
                Ok(result) => own.push(result),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    failed = Some(error);
                }
            }
        }
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        match (failed, done.as_mut()) {
            (Some(error), Ok(_)) => *done = Err(error),
            (None, Ok(done)) => done.append(&mut own),
            (_, Err(_)) => {}
        }
    };
    let workers = WORKERS.min(items.len());
    thread::scope(|scope| {
        // This thread is one of them.
        for _ in 1..workers {
            scope.spawn(worker);
        }
        worker();
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_until_one_fails() {
        for count in [0, 1, 7, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let mut done = side_by_side(&items, || (), |(), item| Ok::<_, ()>(*item)).unwrap();
            done.sort_unstable();
            assert_eq!(done, items);
        }
        let begun = AtomicUsize::new(0);
        let failed = side_by_side(
            &[0; 1000],
            || (),
            |(), _| {
                begun.fetch_add(1, Ordering::Relaxed);
                Err::<(), _>("failed")
            },
        );
        assert_eq!(failed, Err("failed"));
        assert!(begun.into_inner() <= *WORKERS);
    }
}
