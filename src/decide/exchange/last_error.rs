//! What does the Queue Viewer of Exchange Server show as LastError of a queue in Retry?
//!
//! The words are those that administrators search for: 451 4.4.0, what the first host of the attempt said, and that no other one took the mail. A host that
//! says nothing has a word of the server's own in its place. Sources: support articles 979175 (a refused login), 4051498 (a handshake that fails), the queue
//! articles for connections that fail. Not modelled: what follows TLS that fails by
//! the connector's own demand, and the longer form of late builds, with times, name and address of the last host.

use crate::base::{ConnectionResult, Reply};

/// Why mail waits that is in a queue in Retry.
pub const IN_RETRY: &str = "the next attempt of its queue, which is in Retry";
/// Why it waits until the queue is emptied.
pub const EMPTIED: &str = "its queue, in Retry for MaxIdleTimeBeforeResubmit, is emptied into the categorizer";

/// Why an administrator's order ends the wait.
pub const RETRIED: &str = "Retry-Queue: an administrator asks for an attempt now";

/// LastError after an attempt whose first connection ended so (`None`: there was none, since nobody found the host); `None` where no source has the words.
#[must_use]
pub fn last_error(first: Option<(ConnectionResult, Option<&Reply>)>) -> Option<String> {
    let Some((result, reply)) = first else {
        return Some("451 4.4.0 DNS query failed".to_owned());
    };
    let said = match (reply.filter(|reply| reply.code != 0), result) {
        (Some(reply), _) => reply.to_string(),
        (None, ConnectionResult::Refused | ConnectionResult::ConnectTimeout | ConnectionResult::Unreachable) => {
            "421 4.2.1 Unable to connect".to_owned()
        }
        (None, ConnectionResult::Timeout) => "421 4.4.1 Connection timed out".to_owned(),
        (None, ConnectionResult::Dropped) => "421 4.4.2 Connection dropped".to_owned(),
        _ => return None,
    };
    let said = said.trim_end_matches('.');
    Some(format!(
        "451 4.4.0 Primary target IP address responded with: \"{said}.\" Attempted failover to alternate host, but that did not \
         succeed. Either there are no alternate hosts, or delivery failed to all alternate hosts."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Enhanced;

    #[test]
    fn words() {
        let quoted = |first| last_error(Some(first)).map(|text| text.split('"').nth(1).unwrap_or_default().to_owned());
        let busy = Reply::new(421, Some(Enhanced(4, 3, 2)), "Service not available.");
        let own = Reply::new(0, Some(Enhanced(4, 4, 1)), "connect to mx.far.example: Connection refused");
        let rows = [
            (ConnectionResult::Refused, None, Some("421 4.2.1 Unable to connect.")),
            (ConnectionResult::ConnectTimeout, Some(&own), Some("421 4.2.1 Unable to connect.")),
            (ConnectionResult::Tempfail, Some(&busy), Some("421 4.3.2 Service not available.")),
            (ConnectionResult::Dropped, None, Some("421 4.4.2 Connection dropped.")),
            (ConnectionResult::Timeout, None, Some("421 4.4.1 Connection timed out.")),
            (ConnectionResult::TlsFailed, None, None),
        ];
        for (result, reply, expected) in rows {
            assert_eq!(quoted((result, reply)).as_deref(), expected, "{result:?}");
        }
        assert_eq!(last_error(None).as_deref(), Some("451 4.4.0 DNS query failed"));
    }
}
