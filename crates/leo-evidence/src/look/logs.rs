//! The end of a log stream.

use aws_sdk_cloudwatchlogs::Client;
use leo_aws::ServiceError;

/// Lines of a failed container's log that are kept.
const LINES: i32 = 50;
/// An answer can be empty although there are lines further back ("GetLogEvents", Amazon CloudWatch Logs API Reference).
const MOST_PAGES: usize = 4;

/// The last lines, whole and as they were written, the oldest first; none where there is no such stream.
pub(crate) async fn tail(client: &Client, group: &str, stream: &str) -> Result<Vec<String>, ServiceError> {
    let mut token: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let request = client
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .limit(LINES)
            // Together with a token it has to be set, and so is false, too.
            .start_from_head(false)
            .set_next_token(token.clone());
        let page = match request.send().await.map_err(|error| ServiceError::of("GetLogEvents", &error)) {
            Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => return Ok(Vec::new()),
            page => page?,
        };
        let lines: Vec<String> =
            page.events().iter().filter_map(|event| event.message()).map(str::to_owned).collect();
        let back = page.next_backward_token().map(str::to_owned);
        if !lines.is_empty() || back.is_none() || back == token {
            return Ok(lines);
        }
        token = back;
    }
    Ok(Vec::new())
}
