use std::future::Future;

use tokio::task::JoinSet;

/// Does the same with each item, all at once, and answers in their order. All are finished, whatever one of them says.
pub(crate) async fn each<I, T, F>(items: impl IntoIterator<Item = I>, act: impl Fn(I) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (place, item) in items.into_iter().enumerate() {
        let future = act(item);
        tasks.spawn(async move { (place, future.await) });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
